import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryOutput } from '../core/bytes/output.ts'
import type { Codec } from '../core/codec.ts'
import { RpcError } from '../core/error.ts'
import { resolveLimits } from '../core/limits.ts'
import { refuseSuite } from './refuse.suite.ts'
import { travelSuite } from './travel.suite.ts'
import { anyValue, assertRpcError, codecPair, comparable } from './values.suite.ts'

/** What every codec keeps, whatever its bytes look like. */
export function codecSuite(codec: Codec): void {
  travelSuite(codec)
  refuseSuite(codec)

  describe(`codec ${codec.name}: where it writes`, () => {
    it('writes at the offset, reads by range, and grows the output', () => {
      const { sender, receiver } = codecPair(codec)
      fc.assert(
        fc.property(anyValue, fc.nat(40), (value, offset) => {
          const output = new MemoryOutput(offset + 1)
          output.at = offset
          output.bytes.fill(0xc1)
          sender.encode(value, output)
          const definitions = sender.takeDefinitions?.()
          if (definitions !== undefined) receiver.define?.(definitions, 0, definitions.length)
          assert.ok(output.bytes.subarray(0, offset).every((byte) => byte === 0xc1))
          const end = output.at
          output.ensure(10)
          output.bytes.fill(0xc1, end)
          assert.deepStrictEqual(comparable(receiver.decode(output.bytes, offset, end)), comparable(value))
        }),
      )
    })

    it('restores the output when it fails, and works afterwards', () => {
      const { sender, roundTrip } = codecPair(codec, resolveLimits({ maxMessageBytes: 1000 }))
      const output = new MemoryOutput(16)
      output.at = 7
      for (const bad of [
        () => 1,
        ['x'.repeat(300), Symbol('s')],
        'y'.repeat(1001),
        Array(1001).fill(1),
        {
          get a() {
            throw new Error('no')
          },
        },
      ]) {
        assertRpcError(() => sender.encode(bad, output), /invalid_argument|resource_exhausted/)
        assert.equal(output.at, 7)
        assert.equal(roundTrip('fine'), 'fine')
        sender.encode('fine', output)
        output.at = 7
      }
    })

    it('refuses a value that sends while it is being sent', () => {
      const { sender, roundTrip } = codecPair(codec)
      const output = new MemoryOutput()
      const value = { toJSON: () => sender.encode(1, output) }
      assertRpcError(() => sender.encode(value, output), 'failed_precondition', /must not itself send/)
      assert.equal(roundTrip(1), 1)
    })

    it('stops at maxMessageBytes, sending and receiving', () => {
      const limits = resolveLimits({ maxMessageBytes: 10_000 })
      const { encode } = codecPair(codec, limits)
      let list: unknown = 'x'.repeat(20)
      for (let i = 0; i < 14; i++) list = [list, list]
      const sparse: unknown[] = []
      sparse.length = 2 ** 32 - 1
      const tooLarge = [
        'x'.repeat(10_001),
        'ü'.repeat(5001),
        new Uint8Array(10_001),
        list,
        sparse,
        { a: 'x'.repeat(9_990), b: 'xxxxxxxxxxx' },
      ]
      for (const value of tooLarge) {
        const start = performance.now()
        assertRpcError(() => encode(value), 'resource_exhausted', /maxMessageBytes, 10000/)
        assert.ok(performance.now() - start < 200)
      }
      assert.ok(encode('x'.repeat(9_990)).length <= 10_000)
      assert.ok(encode('ü'.repeat(4_990)).length <= 10_000)
      const generous = codecPair(codec).encode('x'.repeat(10_001))
      assertRpcError(() => codecPair(codec, limits).decode(generous), 'resource_exhausted')
    })
  })

  describe(`codec ${codec.name}: bad bytes`, () => {
    it('refuses every truncation and any byte more', () => {
      fc.assert(
        fc.property(anyValue, (value) => {
          const { encode, decode } = codecPair(codec)
          encode(value)
          const bytes = encode(value)
          for (let length = 0; length < Math.min(bytes.length, 600); length++) {
            // A number cut short is a number still in a text format; all else must be refused.
            if (typeof value === 'number' && codec.name === 'json' && length > 0) continue
            assertRpcError(() => decode(bytes.subarray(0, length)), 'invalid_argument')
          }
          assertRpcError(() => decode(Uint8Array.of(...bytes, 0x01)), 'invalid_argument')
        }),
        { numRuns: 30 },
      )
    })

    it('refuses keys that are chosen to collide', () => {
      const { encode, decode } = codecPair(codec)
      const keys = Array.from({ length: 2000 }, (_, i) => BigInt(i) << 64n)
      for (const value of [new Set(keys), new Map(keys.map((key) => [key, 1]))]) {
        assertRpcError(() => decode(encode(value)), 'resource_exhausted', /collide/)
      }
    })

    it('answers random and damaged bytes with a value or an RpcError, never anything else', () => {
      fc.assert(
        fc.property(
          anyValue,
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
          fc.uint8Array({ maxLength: 60 }),
          (value, damage, noise) => {
            const { encode, decode } = codecPair(codec)
            encode(value)
            const bytes = encode(value)
            for (const [at, byte] of damage) bytes[at % bytes.length] = byte
            for (const input of [bytes, noise]) {
              try {
                decode(input)
              } catch (error) {
                assert.ok(RpcError.is(error), String(error))
                assert.match(error.code, /invalid_argument|resource_exhausted/)
              }
            }
          },
        ),
        { numRuns: 500 },
      )
    })
  })
}
