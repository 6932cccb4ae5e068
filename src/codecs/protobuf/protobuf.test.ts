import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type MessageType, protobufCodec, readProto } from './index.ts'
import { defaultLimits } from '../../core/limits.ts'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { decode, encode, hexOf, messageOf, protoOfPeers } from './testing.suite.ts'

const types = await readProto([protoOfPeers('types.proto')])
const everything = types.messages.get('types.Everything') as MessageType
const fixtures = JSON.parse(readFileSync(new URL('fixtures/python.json', import.meta.url), 'utf8')) as Record<
  string,
  { value: Record<string, unknown>; hex: string }
>

/** What Python wrote, in the values that we have for it. */
function revive(value: unknown, field = ''): unknown {
  if (typeof value === 'string' && value.startsWith('hex:'))
    return Uint8Array.from(Buffer.from(value.slice(4), 'hex'))
  if (typeof value === 'string' && value.startsWith('int:')) return BigInt(value.slice(4))
  if (Array.isArray(value)) return value.map((item) => revive(item))
  if (typeof value !== 'object' || value === null) return value
  if (field === '' || field === 'inner')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item, key)]))
  const keyOf = field === 'by_id' ? Number : field === 'flags' ? (key: string) => key === 'true' : String
  return new Map(Object.entries(value).map(([key, item]) => [keyOf(key), revive(item)]))
}

/** What is there beside what the type fills in. */
function given(message: unknown): unknown {
  if (message instanceof Map) return new Map([...message].map(([key, item]) => [key, given(item)]))
  if (Array.isArray(message)) return message.map(given)
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return message
  const empty: Record<string, unknown> = decode(everything, '')
  const isGiven = ([key, item]: [string, unknown]) =>
    item !== undefined && JSON.stringify(show(item)) !== JSON.stringify(show(empty[key]))
  return Object.fromEntries(
    Object.entries(message)
      .filter(isGiven)
      .map(([key, item]) => [key, given(item)]),
  )
}
const show = (item: unknown): unknown =>
  item instanceof Map ? [...item.keys()] : typeof item === 'bigint' ? `${item}n` : typeof item

describe('protobuf: what Python writes', () => {
  for (const [name, { value, hex }] of Object.entries(fixtures)) {
    it(name, () => {
      const ours = revive(value)
      assert.equal(hexOf(encode(everything, ours)), hex)
      const read = decode(everything, hex)
      assert.equal(hexOf(encode(everything, read)), hex)
      for (const [key, item] of Object.entries(ours as object))
        assert.deepEqual(given(read[key]), given(item), key)
    })
  }

  it('fills in what is left out', () => {
    assert.deepEqual(decode(everything, ''), {
      double_value: 0,
      float_value: 0,
      int32_value: 0,
      int64_value: 0,
      uint32_value: 0,
      uint64_value: 0,
      sint32_value: 0,
      sint64_value: 0,
      fixed32_value: 0,
      fixed64_value: 0,
      sfixed32_value: 0,
      sfixed64_value: 0,
      bool_value: false,
      string_value: '',
      bytes_value: new Uint8Array(0),
      color: 'NONE',
      inner: undefined,
      packed: [],
      expanded: [],
      texts: [],
      list: [],
      counts: new Map(),
      by_id: new Map(),
      maybe: undefined,
      name: undefined,
      number: undefined,
      doubles: [],
      colors: [],
      flags: new Map(),
    })
  })
})

describe('protobuf: reading', () => {
  it('takes lists in one piece and one by one, and mixed', async () => {
    const type = await messageOf('repeated int32 a = 1; repeated int32 b = 2 [packed = false];')
    assert.deepEqual(decode(type, '0801 0a0202 03 0804 1202 0506 1007'), { a: [1, 2, 3, 4], b: [5, 6, 7] })
  })

  it('puts together a message that comes in pieces; of a scalar the last counts, of a oneof too', async () => {
    const type = await messageOf(
      'message M { M m = 1; int32 a = 2; int32 b = 3; oneof c { M d = 4; int32 e = 5; } }',
    )
    const read = decode(type, '0a021001 0a021802 1007 1008 2200 2805')
    assert.deepEqual((read['m'] as { a: number; b: number }).a, 1)
    assert.deepEqual((read['m'] as { a: number; b: number }).b, 2)
    assert.equal(read['a'], 8)
    assert.equal(read['d'], undefined)
    assert.equal(read['e'], 5)
  })

  it('skips what it does not know, groups too, and fields of another kind', async () => {
    const type = await messageOf('int32 a = 1;')
    const unknown = '1001 19 0102030405060708 2203 616263 2d 01020304 33 3801 3b 3c 34'
    assert.deepEqual(decode(type, `${unknown} 0805 0a0161`), { a: 5 })
  })

  it('cuts 32-bit numbers that come with more bits, as others do', async () => {
    const type = await messageOf('int32 a = 1; uint32 b = 2; bool c = 3;')
    assert.deepEqual(decode(type, '08 ffffffff7f 10 8180808010 18 8080808010'), { a: -1, b: 1, c: true })
  })

  it('gives the name of an enum, and the number where there is none', async () => {
    const type = await messageOf('enum E { A = 0; B = 1; MINUS = -1; } message M { repeated E e = 1; }')
    const bytes = encode(type, { e: ['B', 0, 7, 'MINUS', -1] })
    assert.deepEqual(decode(type, bytes), { e: ['B', 'A', 7, 'MINUS', 'MINUS'] })
  })
})

describe('protobuf: .proto texts', () => {
  it('proto2: required, defaults, lists one by one', async () => {
    const type = await messageOf(
      'syntax = "proto2"; enum E { ONE = 1; TWO = 2; } message M { required int32 a = 1; optional int32 b = 2 [default = 7]; optional E e = 3; repeated int32 l = 4; optional string s = 5; optional bytes y = 6 [default = "ab"]; }',
    )
    assert.deepEqual(decode(type, '0800'), {
      a: 0,
      b: 7,
      e: 'ONE',
      l: [],
      s: '',
      y: new Uint8Array([97, 98]),
    })
    assert.equal(hexOf(encode(type, { a: 0, b: 0, l: [1, 2] })), '0800100020012002')
    assert.throws(() => decode(type, ''), { message: /lacks a, which is required/ })
    assert.throws(() => encode(type, {}), { message: /at \$\.a is required/ })
  })

  it('several texts, and what google provides', async () => {
    const { messages } = await readProto([
      'syntax = "proto3"; package a; import "b.proto"; import "google/protobuf/timestamp.proto"; message M { b.N n = 1; google.protobuf.Timestamp at = 2; }',
      'syntax = "proto3"; package b; message N { int32 x = 1; message Inner {} }',
    ])
    const type = messages.get('a.M') as MessageType
    const value = { n: { x: 1 }, at: { seconds: 5, nanos: 0 } }
    assert.deepEqual(decode(type, encode(type, value)), value)
    assert.ok(messages.has('b.N.Inner'))
  })

  it('finds messages by name in any package', () => {
    assert.deepEqual(types.find('Everything'), [everything])
    assert.deepEqual(types.find('types.Everything'), [everything])
    assert.deepEqual(types.find('thing'), [])
  })

  it('names in camel case where that is asked for', async () => {
    const { messages } = await readProto(
      ['syntax = "proto3"; message M { int32 first_name = 1; oneof o { int32 a_b = 2; int32 c_d = 3; } }'],
      {
        camelCase: true,
      },
    )
    const type = messages.get('M') as MessageType
    assert.deepEqual(decode(type, encode(type, { firstName: 1, aB: 2 })), {
      firstName: 1,
      aB: 2,
      cD: undefined,
    })
    assert.throws(() => encode(type, { aB: 1, cD: 2 }), { message: /at \$\.aB cannot be set beside cD/ })
  })

  const wrong: [text: string, message: RegExp][] = [
    ['message {', /the \.proto is wrong: illegal type name '\{' \(line 1\)/],
    ['syntax = "proto3"; message M { Foo a = 1; }', /no such Type or Enum 'Foo'/],
    [
      'syntax = "proto3"; import "x.proto"; message M { Foo a = 1; }',
      /'Foo'.*imported, to be given too: x\.proto/,
    ],
    ['syntax = "proto3"; message M { int32 a = 1; int32 b = 1; }', /duplicate id 1/],
    ['syntax = "proto3"; message M { int32 a = 0; }', /M\.a has the number 0/],
    ['syntax = "proto3"; message M { int32 __proto__ = 1; }', /'__proto__' cannot be used/],
    ['syntax = "proto2"; message M { optional group G = 1 { optional int32 a = 1; } }', /M\.g is a group/],
    [
      'syntax = "proto2"; message M { optional int64 a = 1 [default = 9223372036854775807]; }',
      /default of M\.a/,
    ],
    ['nothing of the sort', /illegal token/],
  ]
  for (const [text, message] of wrong) {
    it(`refuses ${text.slice(0, 70)}`, async () => {
      await assert.rejects(readProto([text]), { code: 'invalid_argument', message })
    })
  }

  it('says which of several is wrong', async () => {
    await assert.rejects(readProto(['syntax = "proto3";', 'message']), {
      message: /^the \.proto number 2 is wrong/,
    })
  })
})

describe('protobuf: what cannot be sent', () => {
  const rows: [value: unknown, message: RegExp][] = [
    [5, /^the types\.Everything to be sent at \$ is 5, and should be an object/],
    [[], /at \$ is an array/],
    [
      { int32_value: 2 ** 31 },
      /at \$\.int32_value is 2147483648, and should be an integer that fits into int32/,
    ],
    [{ int32_value: 1.5 }, /int32_value is 1\.5/],
    [{ int32_value: '1' }, /int32_value is "1"/],
    [{ uint32_value: -1 }, /uint32_value is -1/],
    [{ int64_value: 2n ** 63n }, /int64_value is 9223372036854775808/],
    [{ uint64_value: -1n }, /uint64_value is -1/],
    [{ int64_value: 2 ** 53 }, /int64_value is 9007199254740992/],
    [{ double_value: 1n }, /double_value is 1, and should be a number/],
    [{ bool_value: 1 }, /bool_value is 1, and should be true or false/],
    [{ string_value: 1 }, /string_value is 1, and should be a string/],
    [{ bytes_value: 'a' }, /bytes_value is "a", and should be a Uint8Array/],
    [{ color: 'GREEN' }, /color is "GREEN", and should be one of types\.Color: NONE, RED, BLUE/],
    [
      { inner: { inner: { int32_value: null, sint32_value: {} } } },
      /at \$\.inner\.inner\.sint32_value is of kind Object/,
    ],
    [{ packed: 5 }, /packed is 5, and should be an array/],
    [{ packed: [1, 2, 'x'] }, /at \$\.packed\[2\] is "x"/],
    [{ list: [{}, null] }, /at \$\.list\[1\] is null/],
    [{ counts: { a: 'x' } }, /at \$\.counts\.get\("a"\) is "x"/],
    [{ counts: new Map([[1, 1]]) }, /counts\.get\(1\) is 1, and should be a string/],
    [{ by_id: { x: {} } }, /by_id\.get\("x"\) is "x", and should be an integer/],
    [{ name: 'a', number: 1 }, /cannot be set beside/],
    [{ nme: 'a' }, /has a property 'nme', and types\.Everything has no such field; its fields: double_value/],
  ]
  for (const [value, message] of rows) {
    it(String(message), () => {
      assert.throws(() => encode(everything, value), { code: 'invalid_argument', message })
    })
  }

  it('inherited properties are none, and unknown ones that are undefined do not matter', async () => {
    const type = await messageOf('int32 constructor = 1; int32 toString = 2;')
    assert.equal(hexOf(encode(type, {})), '')
    assert.deepEqual(decode(type, '0801'), { constructor: 1, toString: 0 })
    assert.equal(hexOf(encode(type, { constructor: 5, other: undefined })), '0805')
  })

  it('a cycle, and what is too large, and nothing of it remains', () => {
    const cycle: Record<string, unknown> = {}
    cycle['inner'] = cycle
    assert.throws(() => encode(everything, cycle), {
      code: 'resource_exhausted',
      message: /deeper than 64 levels/,
    })
    const output = new MemoryOutput()
    output.at = 3
    const session = protobufCodec.open({ ...defaultLimits, maxMessageBytes: 100 })
    assert.throws(() => session.encode({ texts: ['x'.repeat(50), 'y'.repeat(50)] }, output, everything), {
      code: 'resource_exhausted',
      message: /larger than 100 bytes \(limits\.maxMessageBytes\)/,
    })
    assert.throws(() => session.encode({ packed: Array(200).fill(1) }, output, everything), {
      message: /larger/,
    })
    assert.equal(output.at, 3)
    session.encode({ texts: ['x'.repeat(97)] }, output, everything)
  })
})

describe('protobuf: any value', () => {
  const leaf = {
    double_value: fc.double(),
    float_value: fc.float(),
    int32_value: fc.integer(),
    int64_value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(narrow),
    uint32_value: fc.nat(0xffff_ffff),
    uint64_value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(narrow),
    sint32_value: fc.integer(),
    sint64_value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(narrow),
    fixed64_value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(narrow),
    sfixed64_value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(narrow),
    bool_value: fc.boolean(),
    string_value: fc.string({ unit: 'grapheme' }),
    bytes_value: fc.uint8Array(),
    packed: fc.array(fc.integer()),
    expanded: fc.array(fc.integer()),
    texts: fc.array(fc.string({ maxLength: 300 })),
    counts: fc.array(fc.tuple(fc.string(), fc.maxSafeInteger())).map((entries) => new Map(entries)),
    maybe: fc.option(fc.integer(), { nil: undefined }),
    number: fc.option(fc.integer(), { nil: undefined }),
  }
  const { message } = fc.letrec((tie) => {
    const depth = { nil: undefined, maxDepth: 4, depthIdentifier: fc.createDepthIdentifier() }
    return {
      message: fc.record(
        {
          ...leaf,
          inner: fc.option(tie('message'), depth),
          list: fc.option(fc.array(tie('message'), { maxLength: 2 }), depth),
        },
        { requiredKeys: [] },
      ),
    }
  })

  it('comes back as it was', () => {
    fc.assert(
      fc.property(message, (value) => {
        const bytes = encode(everything, value)
        const read = decode(everything, bytes)
        assert.deepEqual(encode(everything, read), bytes)
        for (const [key, item] of Object.entries(value as object)) {
          if (key !== 'inner' && key !== 'list' && item !== undefined) assert.deepEqual(read[key], item)
        }
      }),
    )
  })

  it('any bytes are read or refused, quickly, and never anything else', () => {
    const mixed = fc
      .tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }))
      .map(([value, changes]) => {
        const bytes = encode(everything, value)
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
        return bytes
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mixed), (bytes) => {
        try {
          decode(everything, bytes)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'invalid_argument', String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('every prefix of a message is a message or is refused', () => {
    for (const { hex } of Object.values(fixtures)) {
      for (let end = 0; end < hex.length; end += 2) {
        try {
          decode(everything, hex.slice(0, end))
        } catch (error) {
          assert.match(String(error), /ends in the middle/)
        }
      }
    }
  })
})

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
