import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Codec } from '../core/codec.ts'
import { assertRpcError, codecPair, comparable, own } from './values.suite.ts'

/** What cannot travel, and the path that the error names. */
export function refuseSuite(codec: Codec): void {
  describe(`codec ${codec.name}: what cannot travel`, () => {
    const cyclic: Record<string, unknown> = { a: { b: [] } }
    ;((cyclic['a'] as Record<string, unknown>)['b'] as unknown[]).push(cyclic)
    const table: [name: string, value: unknown, message: string | RegExp][] = [
      [
        'function',
        [{ user: { callback() {} } }],
        'the value at $[0].user.callback is a function, which cannot travel',
      ],
      ['top level', () => 1, 'the value at $ is a function, which cannot travel'],
      ['symbol', { 'a b': Symbol('x') }, 'the value at $["a b"] is a symbol, which cannot travel'],
      [
        'promise',
        [1, Promise.resolve()],
        'the value at $[1] is a promise, which cannot travel: was an await forgotten?',
      ],
      [
        'thenable',
        [
          new (class {
            then() {} // oxlint-disable-line unicorn/no-thenable -- the case in question
          })(),
        ],
        /\$\[0\] is a promise/,
      ],
      ['generator', { s: (function* () {})() }, /\$\.s is a Generator, .*\[\.\.\.x\]/],
      [
        'stream',
        { s: (async function* () {})() },
        /\$\.s is a stream, which can travel only as a whole argument/,
      ],
      ['plain stream', { s: { a: 1, [Symbol.asyncIterator]: () => {} } }, /\$\.s is a stream/],
      [
        'weak map',
        new Map([['k', new WeakMap()]]),
        'the value at $.get("k") is a WeakMap, which cannot travel',
      ],
      ['map key', new Map([[() => 1, 1]]), 'the value at $.keys()[0] is a function, which cannot travel'],
      ['set item', new Set([1, /x/]), 'the value at $.values()[1] is a RegExp, which cannot travel'],
      ['typed array', { f: new Float32Array(2) }, /\$\.f is a Float32Array, .*new Uint8Array\(x\.buffer, /],
      ['data view', [new DataView(new ArrayBuffer(1))], /\$\[0\] is a DataView/],
      ['buffer', [new ArrayBuffer(1)], /\$\[0\] is an ArrayBuffer, .*new Uint8Array\(x\)/],
      ['date', { at: new Date(Number.NaN) }, 'the value at $.at is an invalid Date, which cannot travel'],
      ['cycle', cyclic, 'the value at $.a.b[0] refers back to $, and a cycle cannot travel'],
      [
        'toJSON',
        { a: { toJSON: () => ({ f() {} }) } },
        'the value at $.a.toJSON().f is a function, which cannot travel',
      ],
      [
        'cause',
        new Error('x', { cause: { f() {} } }),
        'the value at $.cause.f is a function, which cannot travel',
      ],
      [
        'instance',
        new (class {
          f = () => 1
        })(),
        'the value at $.f is a function, which cannot travel',
      ],
      [
        'getter',
        {
          a: {
            get b() {
              throw new Error('locked')
            },
          },
        },
        'the value at $.a.b cannot be read: locked',
      ],
      [
        'proxy',
        new Proxy(
          {},
          {
            ownKeys() {
              throw new Error('shut')
            },
          },
        ),
        /shut/,
      ],
      ['proto', own([['__proto__', () => 1]]), 'the value at $.__proto__ is a function, which cannot travel'],
    ]
    for (const [name, value, message] of table) {
      it(`names the path: ${name}`, () => {
        for (let i = 0; i < 3; i++)
          assertRpcError(() => codecPair(codec).encode(value), 'invalid_argument', message)
      })
    }

    it('allows maxDepth levels and names the one that is too deep', () => {
      const { roundTrip, encode } = codecPair(codec)
      const nest = (levels: number, wrap: (inner: unknown) => unknown) => {
        let value: unknown = 1
        for (let i = 0; i < levels; i++) value = wrap(value)
        return value
      }
      const wraps: ((inner: unknown) => unknown)[] = [
        (v) => [v],
        (v) => ({ a: v }),
        (v) => ({ $a: v }),
        (v) => new Map([[v, 1]]),
        (v) => new Set([v]),
        (v) => new Error('e', { cause: v }),
      ]
      for (const wrap of wraps) {
        assert.deepStrictEqual(comparable(roundTrip(nest(64, wrap))), comparable(nest(64, wrap)))
        assertRpcError(
          () => encode(nest(65, wrap)),
          'invalid_argument',
          /^the value at \$.* is nested deeper than 64 levels$/,
        )
      }
      assertRpcError(() => encode(nest(50_000, (v) => [v])), 'invalid_argument', /deeper/)
    })
  })
}
