import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatEndpoint, isEndpoint, parseEndpoint } from './endpoint.ts'

describe('other spellings of endpoints', () => {
  for (const [text, full] of [
    ['geerpc://10.0.0.5:9999', 'geerpc+tcp://10.0.0.5:9999'],
    ['geerpc+http://a:1', 'geerpc-http+tcp://a:1'],
    ['myrpc+http://a:1', 'myrpc-http+tcp://a:1'],
    ['net-rpc://[::1]:1', 'net-rpc+tcp://[::1]:1'],
    ['json-rpc://a:1', 'json-rpc+tcp://a:1'],
    ['lab-json://a:1', 'lab-json+tcp://a:1'],
    ['lab-protobuf://a:1', 'lab-protobuf+tcp://a:1'],
    ['http://a:1', 'http+tcp://a:1'],
    ['https://a:1', 'http+tls://a:1'],
    ['tcp@10.0.0.5:9999', 'geerpc+tcp://10.0.0.5:9999'],
    ['tcp@[::]:43211', 'geerpc+tcp://[::]:43211'],
    ['tcp@:43211', 'geerpc+tcp://localhost:43211'],
    ['http@a:1', 'geerpc-http+tcp://a:1'],
    ['unix@/tmp/a.sock', 'geerpc+unix:/tmp/a.sock'],
    ['tcp://a:1', 'tcp://a:1'],
    ['json-rpc+unix:/a', 'json-rpc+unix:/a'],
  ] as const)
    it(`${text} is ${full}`, () => {
      assert.equal(formatEndpoint(parseEndpoint(text)), full)
      assert.ok(isEndpoint(text))
    })

  for (const text of ['udp@a:1', 'tcp@', 'tcp@a@b:1', '@a:1'])
    it(`${text} is told what is expected`, () => {
      assert.ok(isEndpoint(text))
      assert.throws(() => parseEndpoint(text), {
        code: 'invalid_argument',
        message: /wrong format '.*', expect protocol@addr, for example tcp@127\.0\.0\.1:9999/,
      })
    })

  it('what names a registry is none', () => {
    for (const text of [
      'registry://a:1',
      'static:tcp://a:1',
      'lab-registry+http://a:1',
      'geerpc-registry+http://a@b:1',
    ])
      assert.ok(!isEndpoint(text), text)
  })
})
