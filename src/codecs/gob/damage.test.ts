import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../core/error.ts'
import { GobDecoder } from './index.ts'
import { allFixtures, drain } from './testing.suite.ts'

describe('gob: damaged streams', () => {
  it('every truncation of what Go sends is incomplete, never an error', () => {
    for (const bytes of allFixtures) {
      const step = Math.max(1, Math.floor(bytes.length / 300))
      for (let length = 0; length < bytes.length; length += step) {
        const decoder = new GobDecoder()
        decoder.push(bytes.subarray(0, length))
        const values = [...decoder.values()]
        decoder.push(bytes.subarray(length))
        values.push(...decoder.values())
        assert.equal(decoder.pending, 0)
        assert.ok(values.length > 0)
      }
    }
  })

  it('every truncation inside a message is an error that leaves the stream whole', () => {
    for (const bytes of allFixtures.filter((each) => each.length < 400)) {
      const decoder = new GobDecoder()
      decoder.push(bytes)
      // The last message, shortened, with its length made to fit; then a good one.
      let at = 0
      let last = 0
      while (at < bytes.length) {
        last = at
        const first = bytes[at] as number
        const head = first < 0x80 ? 1 : 1 + 0x100 - first
        const length =
          first < 0x80 ? first : Number(`0x${Buffer.from(bytes.subarray(at + 1, at + head)).toString('hex')}`)
        at += head + length
      }
      if ((bytes[last] as number) >= 0x80) continue
      for (let length = 3; length < (bytes[last] as number); length++) {
        const cut = new Uint8Array([
          ...bytes.subarray(0, last),
          length,
          ...bytes.subarray(last + 1, last + 1 + length),
          3,
          4,
          0,
          10,
        ])
        const reader = new GobDecoder()
        reader.push(cut)
        let failed = false
        for (let i = 0; i < 50; i++) {
          try {
            const value = reader.decodeNext()
            if (value === undefined) break
            if (failed) assert.equal(value, 5)
          } catch (error) {
            assert.ok(RpcError.is(error))
            failed = true
            if (reader.broken) break
          }
        }
        assert.ok(failed, `${Buffer.from(cut).toString('hex')}`)
      }
    }
  })

  it('damaged streams give values or RpcErrors, and take no time', () => {
    const start = performance.now()
    let runs = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...allFixtures),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xf8, 0xff))), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.nat(3),
        (original, damage, how) => {
          runs++
          let bytes = original.slice()
          for (const [at, byte] of damage) {
            const i = at % bytes.length
            if (how === 0) bytes[i] = byte
            else if (how === 1) bytes = new Uint8Array([...bytes.subarray(0, i), byte, ...bytes.subarray(i)])
            else if (how === 2) bytes = new Uint8Array([...bytes.subarray(0, i), ...bytes.subarray(i + 1), 0])
            else bytes.copyWithin(i, at % 7, (at % 7) + (byte % 16))
          }
          drain(bytes)
        },
      ),
      { numRuns: 5_000, seed: 20261120 },
    )
    assert.equal(runs, 5_000)
    assert.ok(performance.now() - start < 30_000)
  })

  it('noise gives values or RpcErrors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        drain(bytes)
      }),
      { numRuns: 3_000, seed: 7 },
    )
  })
})
