import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RpcError } from '../../core/error.ts'
import type { Definition } from './definition.ts'
import { definitionWriter } from './encode-type.ts'
import { GobDecoder, type GobLimits, gob } from './index.ts'
import { bytesOf, drain, Forge } from './testing.suite.ts'
import type { GobWriter } from './writer.ts'

describe('gob: hostile streams', () => {
  const chain = (count: number, from = 65) => {
    const forge = new Forge()
    for (let i = 0; i < count; i++) forge.slice(from + i, i === count - 1 ? 2 : from + i + 1)
    return forge
  }
  const wide = (count: number) => Array.from({ length: count }, (_, i) => ({ Name: `F${i}`, Id: 2 }))
  const table: [
    name: string,
    stream: () => Uint8Array,
    message: RegExp,
    code?: 'resource_exhausted',
    limits?: Partial<GobLimits>,
  ][] = [
    ['a message of 2^63 bytes', () => bytesOf('f8 7fffffffffffffff'), /impossibly large/],
    ['a message of 1 GiB', () => bytesOf('fc 40000000'), /1073741824 bytes, at most/, 'resource_exhausted'],
    ['a length of nine bytes', () => bytesOf('f7 000000000000000001'), /integer of 9 bytes/],
    ['an empty message', () => bytesOf('00'), /empty message/],
    ['a value of an undefined type', () => bytesOf('03 ff80 00'), /type 64, which is not defined/],
    ['a value of type 0', () => bytesOf('02 00 00'), /type 0, which is not defined/],
    ['a redefined int', () => new Forge().slice(2, 2).bytes(), /reserved/],
    ['a type defined twice', () => new Forge().slice(65, 2).slice(65, 2).bytes(), /twice/],
    ['a definition of nothing', () => new Forge().define(65, {}).bytes(), /nothing that is known/],
    ['a field without a name', () => new Forge().struct(65, [{ Name: '', Id: 2 }]).bytes(), /no name/],
    [
      'bytes after a definition',
      () =>
        new Forge()
          .message((w) => {
            w.int(-65)
            definitionWriter().write(w, {
              SliceT: { CommonType: { Name: '', Id: 65 }, Elem: 2 },
            } satisfies Definition)
            w.byte(0)
          })
          .bytes(),
      /bytes after a definition/,
    ],
    [
      'an array of negative length',
      () =>
        new Forge().define(65, { ArrayT: { CommonType: { Name: '', Id: 65 }, Elem: 2, Len: -1 } }).bytes(),
      /-1 elements/,
    ],
    [
      'an element of an undefined type',
      () => new Forge().slice(65, 99).value(65, 0, 0).bytes(),
      /type 99, which is not defined/,
    ],
    ['10,000 types', () => chain(10_000).bytes(), /more types than maxTypes, 256/, 'resource_exhausted'],
    [
      'definitions of 1 MiB',
      () => new Forge().struct(65, wide(100_000)).bytes(),
      /maxDefinitionBytes/,
      'resource_exhausted',
    ],
    [
      'a name of 2 KiB',
      () => new Forge().struct(65, [{ Name: 'x'.repeat(2048), Id: 2 }]).bytes(),
      /name of 2048 characters/,
      'resource_exhausted',
    ],
    [
      'a slice that claims 2^40 elements',
      () => new Forge().slice(65, 2).value(65, 0, 0xfa, 1, 0, 0, 0, 0, 0).bytes(),
      /claims 1099511627776/,
    ],
    [
      'bytes that claim 2^40',
      () => new Forge().value(5, 0, 0xfa, 1, 0, 0, 0, 0, 0).bytes(),
      /claims 1099511627776/,
    ],
    [
      'a map that claims more than there is',
      () =>
        new Forge()
          .define(65, { MapT: { CommonType: { Name: '', Id: 65 }, Key: 2, Elem: 2 } })
          .value(65, 0, 2, 1, 1, 1)
          .bytes(),
      /claims 2 entries/,
    ],
    [
      'an array of 2^31, as its type says',
      () =>
        new Forge()
          .define(65, { ArrayT: { CommonType: { Name: '', Id: 65 }, Elem: 2, Len: 2 ** 31 } })
          .value(65, 0, 0xfc, 0x80, 0, 0, 0, 1)
          .bytes(),
      /claims 2147483648/,
    ],
    [
      'an array that is shorter than its type',
      () =>
        new Forge()
          .define(65, { ArrayT: { CommonType: { Name: '', Id: 65 }, Elem: 2, Len: 3 } })
          .value(65, 0, 1, 2)
          .bytes(),
      /1 elements, where its type defines 3/,
    ],
    [
      'a slice of itself, 1,000 deep',
      () =>
        new Forge()
          .slice(65, 65)
          .value(65, 0, ...Array<number>(1000).fill(1), 0)
          .bytes(),
      /deeper than 64 levels/,
      'resource_exhausted',
    ],
    [
      'a struct of itself, 1,000 deep',
      () =>
        new Forge()
          .struct(65, [{ Name: 'S', Id: 65 }])
          .value(65, ...Array<number>(1000).fill(1))
          .bytes(),
      /deeper than 64 levels/,
      'resource_exhausted',
    ],
    [
      'a field that the type has not',
      () =>
        new Forge()
          .struct(65, [{ Name: 'A', Id: 2 }])
          .value(65, 2, 2, 0)
          .bytes(),
      /field 1, of 1/,
    ],
    [
      'a field number of 2^60',
      () =>
        new Forge()
          .struct(65, [{ Name: 'A', Id: 2 }])
          .value(65, 0xf8, 0x10, 0, 0, 0, 0, 0, 0, 0)
          .bytes(),
      /impossibly large/,
    ],
    ['a number where the zero byte should be', () => new Forge().value(2, 1, 2).bytes(), /zero byte/],
    ['bytes after a value', () => new Forge().value(2, 0, 2, 2).bytes(), /followed by 1 bytes/],
    [
      'an interface in an interface',
      () => new Forge().value(8, 0, 1, 0x61, 16, 2, 0, 0).bytes(),
      /directly inside an interface/,
    ],
    [
      'a wrong length in an interface',
      () => new Forge().value(8, 0, 1, 0x61, 4, 9, 0, 2).bytes(),
      /takes 2 bytes inside an interface that has 9/,
    ],
    [
      '4 MiB of structs of 5,000 fields that are all left out',
      () =>
        new Forge()
          .struct(65, wide(5000))
          .slice(66, 65)
          .message((w) => {
            w.int(66)
            w.byte(0)
            w.uint(4_000_000)
            for (let i = 0; i < 4_000_000; i++) w.byte(0)
          })
          .bytes(),
      /maxOmittedFields/,
      'resource_exhausted',
      { maxDefinitionBytes: 1 << 20 },
    ],
  ]
  for (const [name, stream, message, code = 'invalid_argument', limits] of table) {
    it(name, () => {
      const bytes = stream()
      const start = performance.now()
      const before = process.memoryUsage().rss
      const error = drain(bytes, limits)
      assert.match(error?.message ?? '', message)
      assert.equal(error?.code, code)
      // Generous, for a machine that is busy; a bomb would take far more of either.
      assert.ok(performance.now() - start < 3_000, `${performance.now() - start} ms`)
      assert.ok(process.memoryUsage().rss - before < 128 << 20)
    })
  }

  it('a field that is passed over may be as deep as the limit, not deeper', () => {
    const nested = (depth: number) => {
      const forge = new Forge()
      // The struct is a level of its own.
      forge
        .struct(64, [
          { Name: 'Deep', Id: 65 },
          { Name: 'X', Id: 2 },
        ])
        .slice(65, 65)
      return forge.value(64, 1, ...Array<number>(depth - 1).fill(1), 0, 1, 4, 0).bytes()
    }
    const Known = gob.struct('', { X: gob.int })
    assert.deepEqual(gob.decode(nested(63), Known), { X: 2 })
    assert.throws(() => gob.decode(nested(64), Known), /deeper than 64/)
    assert.throws(() => gob.decode(nested(10_000), Known), /deeper than 64/)
    assert.deepEqual(gob.decode(nested(10_000), Known, { maxDepth: 20_000 }), { X: 2 })
  })

  it('10,000 different types in each other do no harm where the limits allow them', () => {
    const forge = new Forge()
    for (let i = 0; i < 10_000; i++) forge.slice(65 + i, i === 9_999 ? 2 : 66 + i)
    forge.value(65, 0, 0)
    const limits = { maxTypes: 20_000, maxDefinitionBytes: 1 << 20 }
    assert.equal(drain(forge.bytes(), limits), undefined)
  })

  it('definitions inside a value, in as many messages as a peer likes, cost no more than their bytes', () => {
    const forge = new Forge()
    forge.slice(1000, 8)
    // A slice of interfaces; each defines a type, which ends the message. Between them lie many that do not.
    const filler = 3_000
    const count = 200
    forge.message((w) => {
      w.int(1000)
      w.byte(0)
      w.uint(count * (filler + 1))
      for (let i = 0; i < filler; i++) w.byte(0)
      w.text('t')
      w.int(-65)
      definitionWriter().write(w, { SliceT: { CommonType: { Name: '', Id: 65 }, Elem: 2 } })
    })
    for (let n = 1; n <= count; n++) {
      forge.message((w) => {
        w.int(64 + n)
        w.uint(2)
        w.byte(0)
        w.byte(0)
        if (n === count) return
        for (let i = 0; i < filler; i++) w.byte(0)
        w.text('t')
        w.int(-65 - n)
        definitionWriter().write(w, { SliceT: { CommonType: { Name: '', Id: 65 + n }, Elem: 2 } })
      })
    }
    const bytes = forge.bytes()
    const start = performance.now()
    const decoder = new GobDecoder()
    for (let at = 0; at < bytes.length; at += 100) {
      assert.equal(decoder.ready, false)
      decoder.push(bytes.subarray(at, at + 100))
    }
    assert.equal((decoder.decodeNext() as unknown[]).length, count * (filler + 1))
    assert.ok(performance.now() - start < 10_000)
  })

  it('a value that goes on for ever is cut off at the limit of a message', () => {
    const forge = new Forge()
    forge.slice(200, 8)
    const define = (w: GobWriter, n: number) => {
      w.text('t')
      w.int(-65 - n)
      definitionWriter().write(w, { SliceT: { CommonType: { Name: '', Id: 65 + n }, Elem: 5 } })
    }
    forge.message((w) => {
      w.int(200)
      w.byte(0)
      w.uint(1_000_000)
      define(w, 0)
    })
    for (let n = 1; n < 100; n++) {
      forge.message((w) => {
        w.int(64 + n)
        const start = w.open()
        w.byte(0)
        w.uint(1)
        w.binary(new Uint8Array(1000))
        w.close(start)
        define(w, n)
      })
    }
    const error = drain(forge.bytes(), { maxMessageBytes: 20_000 })
    assert.match(error?.message ?? '', /at most 20000 are allowed/)
  })

  it('names of a peer never reach a prototype', () => {
    const forge = new Forge().struct(
      65,
      ['__proto__', 'constructor', 'toString', '__proto__'].map((Name) => ({ Name, Id: 67 })),
    )
    forge.struct(67, [{ Name: 'polluted', Id: 2 }])
    const value = gob.decode<Record<string, unknown>>(forge.value(65, 1, 1, 2, 0, 2, 1, 4, 0, 0).bytes())
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    assert.deepEqual(Object.getOwnPropertyDescriptor(value, '__proto__')?.value, { polluted: 1 })
    assert.equal(Object.hasOwn(value, 'constructor'), true)
    const table = gob.interface({ int: gob.int })
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const held = new Forge().message((w) => {
        w.int(8)
        w.byte(0)
        w.text(name)
        w.int(2)
        w.uint(2)
        w.byte(0)
        w.byte(4)
      })
      assert.throws(() => gob.decode(held.bytes(), table), /the interface knows int/)
    }
  })

  it('a stream that broke stays broken, and holds no bytes', () => {
    const decoder = new GobDecoder()
    decoder.push(bytesOf('03 04 00 06 00'))
    assert.equal(decoder.decodeNext(), 3)
    assert.throws(() => decoder.decodeNext(), /the gob stream is broken: the value at \$ is an empty message/)
    decoder.push(bytesOf('03 04 00 06'))
    assert.throws(() => decoder.decodeNext(), /broken/)
    assert.throws(() => decoder.skipNext(), /broken/)
    assert.ok(RpcError.is(decoder.broken))
    assert.equal(decoder.pending, 0)
  })
})
