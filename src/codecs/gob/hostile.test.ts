import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import { defineType, wireType } from './definition.ts'
import { writerOf } from './encode-type.ts'
import { GobDecoder, type GobLimits, gob } from './index.ts'
import { resolveGobLimits } from './limits.ts'
import { GobWriter } from './writer.ts'

const fixtures = JSON.parse(readFileSync(new URL('fixtures/go.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>
const streams = Object.values(fixtures).map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** A stream made piece by piece, however wrong. */
class Forge {
  readonly output = new MemoryOutput()
  readonly #writer = new GobWriter(resolveGobLimits({ maxMessageBytes: 1 << 30, maxDepth: 1 << 20 }))

  message(write: (writer: GobWriter) => void): this {
    this.#writer.begin(this.output)
    const start = this.#writer.open()
    write(this.#writer)
    this.#writer.close(start)
    this.output.at = this.#writer.at
    return this
  }

  define(id: number, definition: gob.Infer<typeof wireType>): this {
    return this.message((writer) => {
      writer.int(-id)
      writerOf(wireType).write(writer, definition)
    })
  }

  slice(id: number, Elem: number): this {
    return this.define(id, { SliceT: { CommonType: { Name: '', Id: id }, Elem } })
  }

  struct(id: number, Field: { Name: string; Id: number }[]): this {
    return this.define(id, { StructT: { CommonType: { Name: 'S', Id: id }, Field } })
  }

  value(id: number, ...bytes: number[]): this {
    return this.message((writer) => {
      writer.int(id)
      for (const byte of bytes) writer.byte(byte)
    })
  }

  bytes(): Uint8Array {
    return this.output.bytes.slice(0, this.output.at)
  }
}

/** Decodes all there is, in every way; every failure must be an RpcError. */
function drain(bytes: Uint8Array, limits?: Partial<GobLimits>): RpcError | undefined {
  let failure: RpcError | undefined
  for (const use of ['decode', 'skip', 'typed'] as const) {
    const decoder = new GobDecoder(limits)
    decoder.push(bytes)
    for (let i = 0; i < 100_000; i++) {
      try {
        const more =
          use === 'skip'
            ? decoder.skipNext()
            : decoder.decodeNext(use === 'typed' ? Rich : undefined) !== undefined
        if (!more) break
      } catch (error) {
        assert.ok(RpcError.is(error), `${String(error)} ${(error as Error).stack}`)
        assert.match(error.code, /^(invalid_argument|resource_exhausted)$/)
        if (use === 'decode') failure ??= error
        if (decoder.broken !== undefined) break
      }
    }
  }
  return failure
}

const Rich = gob.struct('Rich', {
  Name: gob.string,
  Shape: gob.any,
  Shapes: gob.slice(gob.interface({ int: gob.int, 'main.Circle': gob.struct('C', { Radius: gob.float }) })),
  Table: gob.map(gob.string, gob.any),
  X: gob.int,
  Pointer: gob.pointer(gob.struct('P', { X: gob.int })),
  Missing: gob.array(100, gob.array(100, gob.int)),
})

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
            writerOf(wireType).write(w, defineType(gob.slice(gob.int) as never, 65, () => 2) as never)
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
      writerOf(wireType).write(w, { SliceT: { CommonType: { Name: '', Id: 65 }, Elem: 2 } })
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
        writerOf(wireType).write(w, { SliceT: { CommonType: { Name: '', Id: 65 + n }, Elem: 2 } })
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
      writerOf(wireType).write(w, { SliceT: { CommonType: { Name: '', Id: 65 + n }, Elem: 5 } })
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

  it('every truncation of what Go sends is incomplete, never an error', () => {
    for (const bytes of streams) {
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
    for (const bytes of streams.filter((each) => each.length < 400)) {
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
        fc.constantFrom(...streams),
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

  it('names of a peer never reach a prototype', () => {
    const forge = new Forge().struct(
      65,
      ['__proto__', 'constructor', 'toString', '__proto__'].map((Name) => ({ Name, Id: 67 })),
    )
    forge.struct(67, [{ Name: 'polluted', Id: 2 }])
    const value = gob.decode(forge.value(65, 1, 1, 2, 0, 2, 1, 4, 0, 0).bytes()) as Record<string, unknown>
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
  })
})
