import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { MemoryOutput } from '../core/bytes/output.ts'
import type { Codec } from '../core/codec.ts'
import { RpcError } from '../core/error.ts'
import { defaultLimits, type Limits, resolveLimits } from '../core/limits.ts'

/** Two sessions that face each other, as a connection has them; definitions cross before the message. */
export function codecPair(codec: Codec, limits: Limits = defaultLimits) {
  const sender = codec.open(limits)
  const receiver = codec.open(limits)
  const encode = (value: unknown): Uint8Array => {
    const output = new MemoryOutput(8)
    sender.encode(value, output)
    const definitions = sender.takeDefinitions?.()
    if (definitions !== undefined) receiver.define?.(definitions, 0, definitions.length)
    return output.take()
  }
  const decode = (bytes: Uint8Array): unknown => receiver.decode(bytes, 0, bytes.length)
  return { sender, receiver, encode, decode, roundTrip: (value: unknown) => decode(encode(value)) }
}

export const names = [
  '__proto__',
  'constructor',
  'toString',
  'then',
  'hasOwnProperty',
  'toJSON',
  '$date',
  '$',
  '',
  'a',
  '0',
  'ü',
  '\0',
  '\u2028',
]

function own(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return object
}

const key = fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'grapheme', maxLength: 12 }))
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 300 }),
)

/** Any value that travels. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    tie('list'),
    tie('object'),
    tie('map'),
    tie('set'),
    tie('error'),
  ),
  list: fc.array(tie('value'), { maxLength: 20 }),
  object: fc.uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 20 }).map(own),
  map: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 6 }).map((entries) => new Map(entries)),
  set: fc.array(tie('value'), { maxLength: 6 }).map((items) => new Set(items)),
  error: fc.oneof(
    fc
      .tuple(fc.string(), tie('value'))
      .map(([message, cause]) => new Error(message, cause === undefined ? {} : { cause })),
    fc
      .tuple(fc.string(), tie('value'))
      .map(([message, details]) => new RpcError('aborted', message, { details, reason: 'r' })),
  ),
})).value

/** Errors lose their stack on purpose; everything else must be as it was. */
export function comparable(value: unknown): unknown {
  if (value instanceof Error) {
    const { code, reason, details } = value as Partial<RpcError>
    const cause = RpcError.is(value) ? undefined : value.cause
    return ['error', value.name, value.message, code, reason, comparable(details), comparable(cause)]
  }
  if (Array.isArray(value)) return Array.from(value, comparable)
  if (value instanceof Map) return ['map', ...[...value].map(([k, v]) => [comparable(k), comparable(v)])]
  if (value instanceof Set) return ['set', ...[...value].map(comparable)]
  if (value instanceof Uint8Array || value instanceof Date || typeof value !== 'object' || value === null)
    return value
  return ['object', ...Object.keys(value).map((k) => [k, comparable((value as Record<string, unknown>)[k])])]
}

export function assertRpcError(fn: () => unknown, code: string | RegExp, message?: RegExp | string): void {
  assert.throws(fn, (error) => {
    assert.ok(RpcError.is(error), `not an RpcError: ${String(error)}`)
    assert.match(error.code, typeof code === 'string' ? new RegExp(`^${code}$`) : code)
    if (typeof message === 'string') assert.equal(error.message, message)
    else if (message !== undefined) assert.match(error.message, message)
    return true
  })
}

/** What every codec keeps, whatever its bytes look like. */
export function codecSuite(codec: Codec): void {
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
