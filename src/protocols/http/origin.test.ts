import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createOriginPolicy, type OriginOptions } from './origin.ts'
import { readRequestHead } from './request-head.ts'
import { HttpDecoder } from './decode.ts'

function statusFor(host: string, options: OriginOptions = {}): number | undefined {
  const decoder = new HttpDecoder(readRequestHead)
  decoder.push(new TextEncoder().encode(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`))
  const event = decoder.next()
  assert.ok(event?.kind === 'head')
  const peer = { transport: 'tcp', address: '10.0.0.9:1234', localAddress: '172.17.0.2:8089' }
  return createOriginPolicy(options).refuse(event.head, peer)?.status
}

describe('the names that a server answers to', () => {
  const rows: [host: string, options: OriginOptions, status: number | undefined][] = [
    ['localhost:8089', {}, undefined],
    ['app.localhost', {}, undefined],
    // A port that was forwarded: the address is another than the one that the connection came to.
    ['10.0.0.5:8089', {}, undefined],
    ['[2001:db8::1]:8089', {}, undefined],
    ['registry:9999', {}, undefined],
    ['evil.test', {}, 421],
    ['127.0.0.1.evil.test', {}, 421],
    ['1.2.3.4.5', {}, 421],
    ['math.example:8089', { hosts: ['math.example'] }, undefined],
    ['math.example:8090', { hosts: ['math.example:8089'] }, 421],
    ['evil.test', { hosts: ['*'] }, undefined],
  ]
  for (const [host, options, status] of rows)
    it(`${host} with ${JSON.stringify(options)}: ${status ?? 'yes'}`, () => {
      assert.equal(statusFor(host, options), status)
    })
})
