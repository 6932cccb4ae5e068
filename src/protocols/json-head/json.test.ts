import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../core/error.ts'
import { parseJson } from './read-json.ts'
import { writeJson } from './write-json.ts'

const write = (value: unknown, style: 'compact' | 'python' = 'compact', maxLength = 100_000) =>
  writeJson(value, { style, maxLength, maxDepth: 20 })

// Integers beyond 2^53 are read as bigints; here it is the rest that matters.
const asNumbers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)))

describe('json-head: reading', () => {
  it('reads what JSON.parse reads, also the slow way', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
        const text = JSON.stringify(value, null, pretty ? 1 : 0)
        assert.deepEqual(asNumbers(parseJson(text)), JSON.parse(text))
        // A number of sixteen digits takes the other way.
        const both = asNumbers(parseJson(`[${text}, 1234567890123456]`))
        assert.deepEqual(both, [JSON.parse(text), 1234567890123456])
      }),
    )
  })

  it('refuses what JSON.parse refuses, also the slow way', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (text, at, noise) => {
        const place = at % (text.length + 1)
        const broken = `[1234567890123456,${text.slice(0, place)}${noise}${text.slice(place + 1)}]`
        let expected: unknown
        try {
          expected = JSON.parse(broken)
        } catch {
          assert.throws(
            () => parseJson(broken),
            (error: unknown) => RpcError.is(error),
          )
          return
        }
        assert.deepEqual(asNumbers(parseJson(broken)), asNumbers(expected))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps every digit of an integer', () => {
    assert.equal(parseJson('9007199254740991'), 9007199254740991)
    assert.equal(parseJson('9007199254740993'), 9007199254740993n)
    assert.equal(parseJson('-18446744073709551615'), -18446744073709551615n)
    assert.equal(parseJson('12345678901234567.5'), Number('12345678901234567.5'))
    assert.equal(parseJson('1234567890123456e2'), 123456789012345600)
    assert.equal(parseJson(`"${'1'.repeat(20)}"`), '1'.repeat(20))
    assert.throws(() => parseJson('9'.repeat(5000)), { code: 'invalid_argument', message: /4300 digits/ })
  })

  it('reads the numbers of Python where they may be', () => {
    assert.deepEqual(parseJson('[NaN, Infinity, -Infinity]', 'python'), [Number.NaN, Infinity, -Infinity])
    assert.throws(() => parseJson('[NaN]'), { code: 'invalid_argument' })
    assert.throws(() => parseJson('[NaNs]', 'python'), { code: 'invalid_argument' })
    assert.throws(() => parseJson('[-NaN]', 'python'), { code: 'invalid_argument' })
  })

  it('takes no name for more than a name', () => {
    for (const text of ['{"__proto__":{"x":1}}', '{"n":1234567890123456789,"__proto__":{"x":1}}']) {
      const value = parseJson(text) as object
      assert.equal(Object.getPrototypeOf(value), Object.prototype)
      assert.ok(Object.hasOwn(value, '__proto__'))
      assert.ok(!('x' in value))
    }
  })
})

describe('json-head: writing', () => {
  it('writes what is read again, in both styles', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value))
        assert.deepEqual(JSON.parse(write(value)), plain)
        const python = write(value, 'python')
        assert.deepEqual(asNumbers(parseJson(python, 'python')), plain)
        assert.match(python, /^[ -~]*$/)
      }),
    )
  })

  it('writes as Python does', () => {
    assert.equal(
      write({ a: [1, 2.5, 'é\u007f😀"\\\n'], b: { c: null, d: true } }, 'python'),
      String.raw`{"a": [1, 2.5, "\u00e9\u007f\ud83d\ude00\"\\\n"], "b": {"c": null, "d": true}}`,
    )
    assert.equal(write([Number.NaN, -Infinity, Infinity], 'python'), '[NaN, -Infinity, Infinity]')
  })

  it('writes what JSON has not in the plainest way', () => {
    class Point {
      x = 1
      y = undefined
    }
    const value = [
      undefined,
      2n ** 64n,
      new Date(0),
      Uint8Array.of(255, 0),
      new Map<unknown, unknown>([
        ['a', 1],
        [2, 'b'],
      ]),
      new Set(['x']),
      new Point(),
      Object(5),
      { toJSON: () => ({ z: 1 }) },
      new RpcError('aborted', 'm', { reason: 'r' }),
      Array.from({ length: 1 }),
    ]
    assert.equal(
      write(value),
      '[null,18446744073709551616,"1970-01-01T00:00:00.000Z","/wA=",{"a":1,"2":"b"},["x"],{"x":1},5,{"z":1},' +
        '{"name":"RpcError","message":"m","code":"aborted","reason":"r"},[null]]',
    )
    assert.equal(write(JSON.parse('{"__proto__":1}')), '{"__proto__":1}')
  })

  it('refuses what cannot travel, and says where it is', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = { cyclic }
    const rows: [value: unknown, message: RegExp][] = [
      [{ a: [() => 1] }, /\$\.a\[0\] is a function/],
      [Symbol('x'), /\$ is a symbol/],
      [cyclic, /a cycle cannot travel/],
      [[Promise.resolve()], /was an await forgotten/],
      [[new Date(Number.NaN)], /invalid Date/],
      [[Number.NaN], /NaN is a number that JSON has not/],
      [new Map([[{}, 1]]), /keys must be texts or numbers/],
      [1n << 20_000n, /4,300 digits/],
      [JSON.parse(`${'['.repeat(21)}${']'.repeat(21)}`), /deeper than 20/],
    ]
    for (const [value, message] of rows)
      assert.throws(() => write(value), { code: 'invalid_argument', message })
    assert.throws(() => write('x'.repeat(20), 'compact', 10), { code: 'resource_exhausted' })
    assert.throws(() => write(Array.from({ length: 1e6 }), 'compact', 1000), { code: 'resource_exhausted' })
  })
})
