import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import type { Codec } from '../core/codec.ts'
import { RpcError } from '../core/error.ts'
import { anyValue, codecPair, comparable, names, own } from './values.suite.ts'

/** What travels, and how it comes out. */
export function travelSuite(codec: Codec): void {
  describe(`codec ${codec.name}: what travels`, () => {
    it('brings every value back as it was, also on repetition in one session', () => {
      const pair = codecPair(codec)
      fc.assert(
        fc.property(anyValue, (value) => {
          for (let i = 0; i < 3; i++)
            assert.deepStrictEqual(comparable(pair.roundTrip(value)), comparable(value))
        }),
        { numRuns: 300 },
      )
    })

    it('keeps numbers and bigints apart at every border', () => {
      const pair = codecPair(codec)
      for (let bits = 0; bits <= 80; bits++) {
        for (const off of [-1, 0, 1]) {
          for (const sign of [-1, 1]) {
            const number = sign * (2 ** bits + off)
            assert.ok(Object.is(pair.roundTrip(number), number), String(number))
            const bigint = BigInt(sign) * (2n ** BigInt(bits) + BigInt(off))
            assert.equal(pair.roundTrip(bigint), bigint)
          }
        }
      }
      const huge = -(7n ** 20_000n)
      assert.equal(pair.roundTrip(huge), huge)
    })

    it('keeps strings of every length around its headers', () => {
      const pair = codecPair(codec)
      for (const unit of ['a', 'é', '€', '😀']) {
        for (const length of [
          0, 1, 7, 8, 9, 10, 11, 15, 16, 31, 32, 63, 64, 85, 86, 127, 128, 255, 256, 21_845, 65_535, 65_536,
        ]) {
          const text = unit.repeat(length)
          assert.equal(pair.roundTrip(text), text)
          assert.deepEqual(pair.roundTrip([`${text}x`, 'next']), [`${text}x`, 'next'])
        }
      }
    })

    it('makes lone surrogates U+FFFD, in values and in keys', () => {
      const { roundTrip } = codecPair(codec)
      for (const pad of ['', 'x'.repeat(40)]) {
        for (const lone of ['\ud800', '\udc00', '\ud800a', 'a\udfff']) {
          assert.equal(roundTrip(pad + lone), pad + lone.toWellFormed())
          for (let i = 0; i < 3; i++)
            assert.deepEqual(roundTrip({ [pad + lone]: 1 }), { [pad + lone.toWellFormed()]: 1 })
        }
      }
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(roundTrip({ '\ud800': 1, '\ud801': 2 }), { '\ufffd': 2 })
      }
    })

    it('sends instances as their own properties, toJSON as what it returns, boxes as what is in them', () => {
      const { roundTrip } = codecPair(codec)
      class Point {
        x = 1
        y = undefined
        static z = 3
        get sum() {
          return this.x
        }
      }
      assert.deepStrictEqual(roundTrip(new Point()), { x: 1, y: undefined })
      assert.deepStrictEqual(roundTrip(new (class extends Array {})(3).fill(1)), [1, 1, 1])
      assert.deepStrictEqual(roundTrip({ toJSON: () => new Date(5) }), new Date(5))
      assert.deepStrictEqual(roundTrip([{ a: 1, toJSON: () => undefined }, 2]), [undefined, 2])
      assert.equal(roundTrip(new URL('http://a/b')), 'http://a/b')
      assert.deepStrictEqual(roundTrip([Object('x'), Object(1), Object(true), Object(1n)]), [
        'x',
        1,
        true,
        1n,
      ])
      assert.deepStrictEqual(roundTrip(Object.assign(Object.create(null), { a: 1 })), { a: 1 })
      assert.deepStrictEqual(roundTrip({ [Symbol('hidden')]: 1, a: 1 }), { a: 1 })
      assert.deepStrictEqual(roundTrip([1, , 3]), [1, undefined, 3]) // oxlint-disable-line no-sparse-arrays
      const itself = { a: 1, toJSON: 'a name like any other' }
      assert.deepStrictEqual(roundTrip(itself), itself)
    })

    it('leaves at home what somebody put into Object.prototype', () => {
      const polluted = Object.prototype as Record<string, unknown>
      polluted['inherited'] = 1
      try {
        const { roundTrip } = codecPair(codec)
        for (let i = 0; i < 3; i++) assert.deepEqual(Object.keys(roundTrip({ a: 1 }) as object), ['a'])
      } finally {
        delete polluted['inherited']
      }
    })

    it('knows the kinds of another realm', () => {
      const foreign: unknown = runInContext(
        '[new Date(5), new Map([[1, 2]]), new Set([1]), new Uint8Array([1, 2]), new RangeError("far"), { a: [1] }]',
        createContext(),
      )
      assert.deepStrictEqual(
        comparable(codecPair(codec).roundTrip(foreign)),
        comparable([
          new Date(5),
          new Map([[1, 2]]),
          new Set([1]),
          new Uint8Array([1, 2]),
          new RangeError('far'),
          { a: [1] },
        ]),
      )
    })

    it('sends of an error name, message, code, reason, details and cause, and never the stack', () => {
      const { encode, decode } = codecPair(codec)
      const cause = new TypeError('inner', { cause: 'why' })
      const bytes = encode([
        new Error('outer', { cause }),
        new RpcError('not_found', 'gone', { cause, details: { id: 1 } }),
      ])
      assert.doesNotMatch(Buffer.from(bytes).toString('latin1'), /codec\.suite/)
      const [plain, rpc] = decode(bytes) as [Error, RpcError]
      assert.equal((plain.cause as Error).name, 'TypeError')
      assert.equal((plain.cause as Error).cause, 'why')
      assert.ok(plain instanceof Error && !RpcError.is(plain))
      assert.ok(rpc instanceof RpcError)
      assert.deepStrictEqual(
        [rpc.code, rpc.message, rpc.details, rpc.cause],
        ['not_found', 'gone', { id: 1 }, undefined],
      )
    })

    it('copies bytes: nothing that was decoded refers to the input', () => {
      const { encode, decode } = codecPair(codec)
      const value = {
        short: 'text',
        long: 'y'.repeat(100),
        bytes: Buffer.from([1, 2, 3]),
        list: [new Uint8Array(500).fill(3)],
      }
      for (let i = 0; i < 3; i++) {
        const bytes = encode(value)
        const decoded = decode(bytes) as typeof value
        bytes.fill(0xff)
        assert.equal(Object.getPrototypeOf(decoded.bytes), Uint8Array.prototype)
        assert.deepStrictEqual(decoded, { ...value, bytes: new Uint8Array([1, 2, 3]) })
      }
    })

    it('makes names such as __proto__ own properties and leaves Object.prototype alone', () => {
      const pair = codecPair(codec)
      const before = Object.getOwnPropertyNames(Object.prototype)
      fc.assert(
        fc.property(fc.shuffledSubarray(names, { minLength: 1 }), (keys) => {
          const value = own(keys.map((name, i) => [name, { polluted: i }]))
          for (let i = 0; i < 3; i++) {
            const decoded = pair.roundTrip(value) as object
            assert.equal(Object.getPrototypeOf(decoded), Object.prototype)
            assert.deepStrictEqual(comparable(decoded), comparable(value))
            for (const name of keys) {
              assert.deepStrictEqual(
                Object.getOwnPropertyDescriptor(decoded, name),
                Object.getOwnPropertyDescriptor(value, name),
              )
            }
          }
        }),
      )
      assert.deepStrictEqual(Object.getOwnPropertyNames(Object.prototype), before)
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    })
  })
}
