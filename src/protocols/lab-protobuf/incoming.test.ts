import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cutAt } from '../json-head/session-rig.suite.ts'
import { Incoming } from './incoming.ts'
import { moreProto, request } from './testing.suite.ts'

const limits = { maxMessageBytes: 1000, maxDepth: 4 }
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('a message without a frame', () => {
  it('is whole between its outermost fields, and only there', () => {
    const bytes = bytesOf('0a0161 1005 19 0102030405060708 2d 01020304 33 0801 3b 3c 34 0a0162')
    const whole = new Set([3, 5, 14, 19, 25, 28])
    const incoming = new Incoming(limits)
    assert.equal(incoming.isWhole, false)
    for (let i = 0; i < bytes.length; i++) {
      incoming.push(bytes.subarray(i, i + 1))
      assert.equal(incoming.isWhole, whole.has(i + 1), `at ${i + 1}`)
    }
    assert.deepEqual(incoming.span(1), { start: 27, end: 28 })
    assert.equal(incoming.span(2), undefined)
  })

  it('looks the same however it is cut', () => {
    const message = request({
      type: 'call',
      service_name: 'upper',
      time: 'x'.repeat(130),
      upper: { text: 'y'.repeat(300) },
    })
    assert.ok(moreProto.includes('UpperRequest'))
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const incoming = new Incoming(limits)
        for (const piece of cutAt(message, cuts)) incoming.push(piece)
        assert.ok(incoming.isWhole)
        assert.deepEqual(incoming.bytes, message)
        const span = incoming.span(6)
        assert.equal(span?.end, message.length)
      }),
    )
  })

  const refused: [name: string, hex: string, message: RegExp, code?: string][] = [
    ['a length beyond the limit', '0a e907', /1004 bytes or more, at most 1000/, 'resource_exhausted'],
    ['a length of 2^63', '0a ffffffffffffffff7f', /at most 1000/, 'resource_exhausted'],
    ['more bytes than allowed', '00'.repeat(1001), /1001 bytes or more/, 'resource_exhausted'],
    ['kind 7', '0f', /kind that protobuf does not have/],
    ['the end of nothing', '0c', /ends that did not begin/],
    ['a varint of eleven bytes', '08 8080808080808080808001', /more than ten bytes/],
    ['groups within groups', '0b'.repeat(5), /nested deeper than 4/, 'resource_exhausted'],
  ]
  for (const [name, hex, message, code = 'invalid_argument'] of refused) {
    it(`refuses ${name}`, () =>
      assert.throws(() => new Incoming(limits).push(bytesOf(hex)), { code, message }))
  }

  it('never throws anything else, and takes no longer for a byte at a time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const incoming = new Incoming(limits)
        try {
          for (const byte of bytes) incoming.push(Uint8Array.of(byte))
        } catch (error) {
          assert.ok(['invalid_argument', 'resource_exhausted'].includes((error as { code: string }).code))
        }
      }),
    )
    const large = new Incoming({ maxMessageBytes: 1 << 20, maxDepth: 4 })
    const start = performance.now()
    for (let i = 0; i < 1 << 19; i++) large.push(Uint8Array.of(i % 2 === 0 ? 8 : 1))
    assert.ok(performance.now() - start < 2000)
  })
})
