import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { runInThisContext } from 'node:vm'
import fc from 'fast-check'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { defaultLimits } from '../../core/limits.ts'
import { codecSuite } from '../codec.suite.ts'
import { anyValue, assertRpcError, codecPair, comparable } from '../values.suite.ts'
import { createMsgpackCodec, msgpackCodec } from './msgpack.ts'

codecSuite(msgpackCodec)
codecSuite(createMsgpackCodec({ records: false }))

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hexOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')

describe('msgpack: SPEC.md', () => {
  const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8')
  const rows = [...spec.matchAll(/^\| `(.+?)` +\| `([0-9a-f ]+)` +\|$/gm)]
  it('has examples', () => assert.ok(rows.length >= 25, String(rows.length)))
  for (const [, source, hex] of rows) {
    it(`is right about ${source}`, () => {
      const value: unknown = runInThisContext(`(${source})`)
      const { encode, decode } = codecPair(msgpackCodec)
      assert.equal(hexOf(encode(value)), hex?.replaceAll(' ', ''))
      assert.deepStrictEqual(comparable(decode(bytesOf(hex ?? ''))), comparable(value))
    })
  }
})

describe('msgpack: what others send', () => {
  const { decode } = codecPair(msgpackCodec)
  const table: [hex: string, value: unknown][] = [
    ['cc01', 1],
    ['d3ffffffffffffffff', -1],
    ['cf0020000000000000', 2n ** 53n],
    ['cfffffffffffffffff', 2n ** 64n - 1n],
    ['d38000000000000000', -(2n ** 63n)],
    ['ca3fc00000', 1.5],
    ['d90161', 'a'],
    ['db0000000161', 'a'],
    ['dc000101', [1]],
    ['df00000001d9016101', { a: 1 }],
    ['c70301010000', 65536n],
    ['c7080100000000000000ff', 255n],
    ['d6ff00000001', new Date(1000)],
    ['d7ff003d090000000001', new Date(1001)],
    ['c70cff000f4240ffffffffffffffff', new Date(-999)],
  ]
  for (const [hex, value] of table) {
    it(hex, () => assert.deepStrictEqual(decode(bytesOf(hex)), value))
  }
})

describe('msgpack: hostile bytes', () => {
  const table: [name: string, hex: string, code: string, message: RegExp][] = [
    ['an array of 2^32-1', 'ddffffffff', 'invalid_argument', /ends in the middle/],
    ['a map of 2^32-1', 'dfffffffff', 'invalid_argument', /ends in the middle/],
    ['a string of 2^32-1', 'dbffffffff61', 'invalid_argument', /ends in the middle/],
    ['bytes of 2^32-1', 'c6ffffffff61', 'invalid_argument', /ends in the middle/],
    ['an extension of 2^32-1', 'c9ffffffff0100', 'invalid_argument', /ends in the middle/],
    ['a map whose entries need more', '82a16101', 'invalid_argument', /ends in the middle/],
    ['nothing', '', 'invalid_argument', /ends in the middle/],
    ['bytes after the value', '0101', 'invalid_argument', /1 bytes follow/],
    ['ill-formed UTF-8', 'a2c328', 'invalid_argument', /UTF-8/],
    ['an overlong key', '81a2c08001', 'invalid_argument', /UTF-8/],
    ['a key that is no string', '810101', 'invalid_argument', /key of a map is no string/],
    ['an unknown extension', 'd47f00', 'invalid_argument', /extension type 127/],
    ['an unknown record', 'c10001', 'invalid_argument', /record 0 is not defined/],
    ['a map extension of no list', 'c7010201', 'invalid_argument', /wrong type/],
    ['a map extension of an odd list', 'c702029101', 'invalid_argument', /wrong type/],
    ['a set extension of no list', 'c7010301', 'invalid_argument', /wrong type/],
    ['an error extension of no object', 'c7010401', 'invalid_argument', /wrong type/],
    [
      'an error whose message is a number',
      'c70a0481a76d65737361676501',
      'invalid_argument',
      /message of an error/,
    ],
    ['an extension with bytes after its payload', 'c703029000c0', 'invalid_argument', /follow the payload/],
    [
      'a payload that reaches beyond its extension',
      '92c70102920101',
      'invalid_argument',
      /middle of a value/,
    ],
    ['a bigint of no bytes', 'c70001', 'invalid_argument', /bigint has no bytes/],
    ['a timestamp of 5 bytes', 'c705ff0000000000', 'invalid_argument', /4, 8 or 12/],
    ['a timestamp of too many nanoseconds', 'd7ffffffffff00000000', 'invalid_argument', /out of range/],
    ['a timestamp beyond all dates', 'c70cff000000007fffffffffffffff', 'invalid_argument', /out of range/],
  ]
  for (const [name, hex, code, message] of table) {
    it(name, () => {
      const bytes = bytesOf(hex)
      assertRpcError(() => msgpackCodec.open(defaultLimits).decode(bytes, 0, bytes.length), code, message)
    })
  }

  it('nesting of a million, in every kind of container, costs no time', () => {
    for (const unit of ['91', '81a161', '8191', 'c9000fffff02', 'dd00000001']) {
      const bytes = bytesOf(unit.repeat(1_000_000))
      const start = performance.now()
      assertRpcError(
        () => msgpackCodec.open(defaultLimits).decode(bytes, 0, bytes.length),
        /resource_exhausted|invalid_argument/,
      )
      assert.ok(performance.now() - start < 50)
    }
  })

  it('claims within claims allocate nothing', () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(0)
    for (let i = 0; i < 64; i++) bytes.set([0xdd, 0x00, 0x3f, 0x00, 0x00], i * 5)
    const before = process.memoryUsage().heapUsed
    assertRpcError(() => msgpackCodec.open(defaultLimits).decode(bytes, 0, 400), 'invalid_argument')
    assertRpcError(() => msgpackCodec.open(defaultLimits).decode(bytes, 0, bytes.length), 'invalid_argument')
    assert.ok(process.memoryUsage().heapUsed - before < 200 * 1024 * 1024)
  })
})

describe('msgpack: records', () => {
  it('sends a shape as a map first, then as a record that it defines', () => {
    const sender = msgpackCodec.open(defaultLimits)
    const output = new MemoryOutput()
    const send = (value: unknown) => {
      sender.encode(value, output)
      return [hexOf(sender.takeDefinitions?.()), hexOf(output.take())]
    }
    assert.deepEqual(send({ a: 1, bc: 2 }), ['', '82a16101a2626302'])
    assert.deepEqual(send({ a: 1, bc: 2 }), ['00020161026263', 'c1000102'])
    assert.deepEqual(send({ a: 3, bc: { a: 4, bc: 5 } }), ['', 'c10003c1000405'])
    assert.deepEqual(send({ bc: 1, a: 2 }), ['', '82a2626301a16102'])
    class Point {
      a = 6
      bc = 7
    }
    assert.deepEqual(send(new Point()), ['', 'c1000607'])
    assert.deepEqual(send([{ x: 1 }, { x: 2 }, { x: 3 }]), ['01010178', '9381a17801c10102c10103'])
  })

  it('makes none where the codec or the peer is without', () => {
    const sessions = [
      createMsgpackCodec({ records: false }).open(defaultLimits),
      msgpackCodec.open(defaultLimits, { definitions: false }),
    ]
    for (const session of sessions) {
      const output = new MemoryOutput()
      for (let i = 0; i < 5; i++) session.encode({ a: 1 }, output)
      assert.equal(session.takeDefinitions?.(), undefined)
      assert.equal(hexOf(output.take()), '81a16101'.repeat(5))
    }
  })

  it('keeps a definition made by an encode that failed, and sends it with the next', () => {
    const sender = msgpackCodec.open(defaultLimits)
    const output = new MemoryOutput()
    assertRpcError(() => sender.encode([{ a: 1 }, { a: 1 }, () => 1], output), 'invalid_argument')
    sender.encode({ a: 1 }, output)
    assert.equal(hexOf(sender.takeDefinitions?.()), '00010161')
    assert.equal(hexOf(output.take()), 'c10001')
  })

  it('stays within its bounds, whatever objects come, and both sides agree', () => {
    const { roundTrip } = codecPair(msgpackCodec)
    const shape = (i: number) =>
      Object.fromEntries(
        Array.from({ length: (i % 70) + 1 }, (_, n) => [`k${i}_${n}`.padEnd((i * 7) % 150, 'x'), n]),
      )
    for (let i = 0; i < 700; i++) {
      const value = shape(i)
      for (let times = 0; times < 3; times++) assert.deepStrictEqual(roundTrip(value), value)
    }
  })

  it('still learns a shape after many dictionaries', () => {
    const { encode } = codecPair(msgpackCodec)
    for (let i = 0; i < 5000; i++) encode({ [`user${i}`]: 1 })
    encode({ a: 1, b: 2 })
    assert.ok([0, 1, 2].some(() => hexOf(encode({ a: 1, b: 2 })).startsWith('c1')))
  })

  it('reads records alike before and after their reader is compiled', () => {
    const { roundTrip } = codecPair(msgpackCodec)
    const value = JSON.parse(
      '{"__proto__":{"x":1},"constructor":2,"a-b":[{"toString":3}],"\\u2028\\"":4,"7":5}',
    ) as object
    for (let i = 0; i < 200; i++) {
      const decoded = roundTrip(value) as object
      assert.deepStrictEqual(comparable(decoded), comparable(value))
      assert.equal(Object.getPrototypeOf(decoded), Object.prototype)
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined)
  })

  it('decodes what others call the same session without records', () => {
    const plain = codecPair(createMsgpackCodec({ records: false }))
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = plain.encode(value)
        assert.deepStrictEqual(
          comparable(msgpackCodec.open(defaultLimits).decode(bytes, 0, bytes.length)),
          comparable(value),
        )
      }),
    )
  })

  const wrongDefinitions: [name: string, hex: string, code: string, message: RegExp][] = [
    ['an id out of order', '01010161', 'invalid_argument', /record 1 is defined where 0 is due/],
    ['an id twice', '0001016100010162', 'invalid_argument', /record 0 is defined where 1 is due/],
    ['a name twice', '000201610161', 'invalid_argument', /name twice/],
    ['no names', '0000', 'invalid_argument', /no names/],
    ['too many names', '0041', 'resource_exhausted', /65 names/],
    ['too long names', '000181800461', 'resource_exhausted', /names of all records/],
    ['a truncated name', '0001056162', 'invalid_argument', /5 bytes should follow/],
    ['an ill-formed name', '00010180', 'invalid_argument', /UTF-8/],
    ['a varint without end', 'ff'.repeat(20), 'invalid_argument', /varint/],
  ]
  for (const [name, hex, code, message] of wrongDefinitions) {
    it(`refuses a definition with ${name}`, () => {
      const bytes = bytesOf(hex)
      assertRpcError(() => msgpackCodec.open(defaultLimits).define?.(bytes, 0, bytes.length), code, message)
    })
  }

  it('refuses more than 256 definitions', () => {
    const session = msgpackCodec.open(defaultLimits)
    const varint = (n: number) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7])
    for (let i = 0; i < 256; i++) {
      const bytes = Uint8Array.of(...varint(i), 1, 1, 0x61)
      session.define?.(bytes, 0, bytes.length)
    }
    const bytes = Uint8Array.of(...varint(256), 1, 1, 0x61)
    assertRpcError(() => session.define?.(bytes, 0, bytes.length), 'resource_exhausted', /256/)
  })
})
