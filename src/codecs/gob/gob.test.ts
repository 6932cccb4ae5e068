import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { defaultLimits } from '../../core/limits.ts'
import { GobComplex, GobDecoder, GobEncoder, GobNamed, gob, gobCodec } from './index.ts'
import { decodeAll, fixture, hexOf, throwsRpc } from './testing.suite.ts'

const Point = gob.struct('Point', { X: gob.int, Y: gob.int })
const Rect = gob.struct('Rect', { Min: Point, Max: Point })

interface Node {
  Value: number
  Next?: Node | null
}
const Node: gob.GobType<Node> = gob.struct('Node', {
  Value: gob.int,
  Next: gob.pointer(gob.lazy(() => Node)),
})
describe('gob: what is sent', () => {
  it('the example of the documentation of Go, byte for byte', () => {
    const output = new MemoryOutput()
    const encoder = new GobEncoder()
    encoder.encode({ X: 22, Y: 33 }, output, Point)
    assert.equal(
      hexOf(output.take()),
      '1fff8103010105506f696e7401ff8200010201015801040001015901040000' + '0007ff82012c014200',
    )
    encoder.encode({ X: 22, Y: 33 }, output, Point)
    assert.equal(hexOf(output.take()), '07ff82012c014200')
  })

  it('an empty struct, as net/rpc sends with an error', () => {
    assert.equal(hexOf(gob.encode({}, gob.struct('', {}))), '0aff81030102ff8200000003ff8200')
  })

  it('grows an output in any place, and leaves it as it was after an error', () => {
    const encoder = new GobEncoder()
    const output = new MemoryOutput(1)
    output.at = 1
    output.bytes[0] = 99
    throwsRpc(() => encoder.encode({ X: 1, Y: 'y' }, output, Point), /at \$\.Y is "y", where an integer/)
    assert.equal(output.at, 1)
    for (const size of [0, 1, 126, 127, 128, 255, 256, 65_535, 65_536, 1 << 20]) {
      encoder.encode({ Name: 'x'.repeat(size), X: size }, output)
    }
    assert.equal(output.bytes[0], 99)
    const sizes = decodeAll(output.take(1)).map((value) => (value as { X: number; Name: string }).Name.length)
    assert.deepEqual(sizes, [0, 1, 126, 127, 128, 255, 256, 65_535, 65_536, 1 << 20])
  })

  it('takes what has no description as what it is', () => {
    const own = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":"x"}') as object
    const table: [unknown, unknown?][] = [
      [5],
      [-0],
      [2.5],
      [2n ** 63n],
      [-5n, -5],
      [''],
      [false],
      [new Uint8Array([1])],
      [[]],
      [[1, 2.5]],
      [
        [1, 'a', null, undefined],
        [1, 'a', null, null],
      ],
      [[[1], [2.5]]],
      [
        [{ A: 1 }, { A: 2, B: 'x' }],
        [
          { A: 1, B: '' },
          { A: 2, B: 'x' },
        ],
      ],
      [
        new Map<unknown, unknown>([
          ['a', 1],
          ['b', 'x'],
        ]),
      ],
      [new Map([[1, [true]]])],
      [{ A: { B: [{ C: null, D: 1n }] } }, { A: { B: [{ D: 1 }] } }],
      [
        [{ A: 1 }, 'x'],
        [new Map([['A', 1]]), 'x'],
      ],
      [[1, new GobNamed('main.T', { X: 1 })]],
      [new GobComplex(1, 2)],
      [own],
      [Object.create(null), {}],
    ]
    for (const [value, expected = value] of table)
      assert.deepStrictEqual(gob.decode(gob.encode(value)), expected)
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
    const proto = gob.decode<object>(gob.encode(own))
    assert.equal(Object.getPrototypeOf(proto), Object.prototype)
    assert.deepEqual(Object.keys(proto), ['__proto__', 'constructor', 'toString'])
  })

  it('interfaces with a table, whose types are defined when they come', () => {
    const Shape = gob.interface({
      'main.Point': Point,
      'main.Rect': Rect,
      int: gob.int,
      '[]string': gob.slice(gob.string),
    })
    const Drawing = gob.struct('Drawing', {
      First: Shape,
      Rest: gob.slice(Shape),
      Last: gob.map(Shape, gob.any),
    })
    type Drawing = gob.Infer<typeof Drawing>
    const list: Drawing[] = [
      { First: null, Rest: [], Last: new Map() },
      {
        First: { name: 'int', value: 5 },
        Rest: [null, { name: 'main.Point', value: { X: 1, Y: 2 } }],
        Last: new Map(),
      },
      {
        First: { name: 'main.Rect', value: { Min: { X: 1, Y: 1 }, Max: { X: 1, Y: 1 } } },
        Rest: [{ name: '[]string', value: ['a'] }],
        Last: new Map([[{ name: 'int', value: 1 }, [true, 'x']]]),
      },
    ]
    const encoder = new GobEncoder()
    const output = new MemoryOutput()
    for (const each of list) encoder.encode(each, output, Drawing)
    const plain = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value, (_, v: unknown) => (v instanceof Map ? [...v] : v)))
    assert.deepEqual(plain(decodeAll(output.take(), Drawing)), plain(list))
    const wrong = { First: { name: 'main.Nobody', value: 1 }, Rest: [], Last: new Map() }
    throwsRpc(
      () => gob.encode(wrong as never, Drawing),
      'the value at $.First names the type "main.Nobody"; the interface knows main.Point, main.Rect, int, []string',
    )
    const decoder = new GobDecoder()
    decoder.push(fixture('interface-new'))
    throwsRpc(
      () => decoder.decodeNext(gob.struct('', { Shape })),
      /\$\.Shape holds a value of type "main\.Circle"/,
    )
    // The definitions in the value that could not be read are known all the same.
    assert.equal((decoder.decodeNext() as { After: number }).After, 6)
  })

  it('names the path to what cannot travel', () => {
    const cycle: Record<string, unknown> = {}
    cycle['c'] = [cycle, cycle]
    const loop: Node = { Value: 1 }
    loop.Next = loop
    const shared = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], 1)
    const table: [() => unknown, RegExp | string, string?][] = [
      [() => gob.encode(null), 'the value at $ is null, and gob has no nil on its own'],
      [() => gob.encode(undefined, gob.pointer(gob.int) as never), /at \$ is undefined/],
      [() => gob.encode({ a: [{ b: () => 1 }] }), 'the value at $.a[0].b is a function, which cannot travel'],
      [() => gob.encode(new Map([['k', Symbol('s')]])), /at \$\.values\(\)\[0\] is a symbol/],
      [
        () => gob.encode(new Map([['k', 1.5]]), gob.map(gob.string, gob.int)),
        /\$\.get\("k"\) is 1\.5, where an integer/,
      ],
      [() => gob.encode({ s: new Set([1]) }), /\$\.s is of kind Set, which cannot travel/],
      [() => gob.encode([new Float64Array(1)]), /\$\[0\] is of kind Float64Array/],
      [() => gob.encode({ '': 1 }), /property with an empty name/],
      [() => gob.encode(cycle), /a cycle cannot travel/],
      [() => gob.encode([1, cycle]), /a cycle cannot travel/],
      [() => gob.encode(loop, Node), /nested deeper than 64 levels/],
      [() => gob.encode(shared), /too large for a message/, 'resource_exhausted'],
      [() => gob.encode(2n ** 64n), /does not fit into 64 bits, signed|unsigned/],
      [() => gob.encode(-(2n ** 63n) - 1n), /does not fit into 64 bits, signed/],
      [() => gob.encode(-1, gob.uint), /is -1, where an integer from 0 up/],
      [() => gob.encode(2 ** 53, gob.int64), /where an integer \(beyond 2\^53 a bigint\)/],
      [() => gob.encode([1], gob.array(2, gob.int)), 'the value at $ has 1 elements, where 2 are expected'],
      [
        () => gob.encode([null] as never, gob.slice(Point)),
        /\$\[0\] is null; gob has nil only for fields and interfaces/,
      ],
      [() => gob.encode('x'.repeat(5 << 20)), /larger than maxMessageBytes/, 'resource_exhausted'],
      [() => gob.encode('x', { kind: 5 } as never), /no gob type/],
      [() => gob.struct('A', { B: undefined as never }), /field B of A is no gob type/],
      [() => gob.struct('A', { B: gob.int, c: gob.field('B', gob.int) }), /field c of A is called 'B'/],
      [() => gob.array(-1, gob.int), /whole number/],
    ]
    for (const [run, message, code] of table) throwsRpc(run, message, code)
    const getter = {
      get X(): number {
        throw new Error('shut')
      },
      Y: 1,
    }
    throwsRpc(() => gob.encode(getter, Point), 'the value at $.X cannot be handled: shut')
    const Endless: gob.GobType<unknown> = gob.struct('Endless', { E: gob.lazy(() => Endless), N: gob.int })
    throwsRpc(() => gob.decode(gob.encode({ N: 1 }), Endless), /Endless contains itself; use gob\.pointer/)
    const Self: gob.GobType<unknown> = gob.pointer(gob.lazy(() => Self))
    throwsRpc(() => gob.encode(1, Self), /leads only back to itself/)
  })

  it('integers beyond 2^53 are exact, or an error where they were not expected', () => {
    const N = gob.struct('N', { N: gob.int, U: gob.uint })
    const bytes = gob.encode({ N: 2n ** 60n, U: 2n ** 60n } as never, N)
    assert.deepEqual(gob.decode(bytes), { N: 2n ** 60n, U: 2n ** 60n })
    throwsRpc(() => gob.decode(bytes, N), /\$\.N is 1152921504606846976, beyond 2\^53; described as int64/)
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        assert.equal(BigInt(gob.decode(gob.encode(value, gob.int64), gob.int64)), value)
        const unsigned = BigInt.asUintN(64, value)
        assert.equal(BigInt(gob.decode(gob.encode(unsigned, gob.uint64), gob.uint64)), unsigned)
      }),
    )
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.double(), (integer, float) => {
        assert.equal(gob.decode(gob.encode(integer, gob.int64), gob.int64), integer)
        assert.equal(gob.decode(gob.encode(float, gob.float), gob.float), float)
      }),
    )
  })

  it('a Number object is a float, whole or not', () => {
    for (const number of [3, 0, -0, 2.5]) {
      assert.equal(gob.decode(gob.encode(Object(number)), gob.float), number)
      assert.deepEqual(gob.decode(gob.encode({ X: Object(number) }), gob.struct('P', { X: gob.float })), {
        X: number,
      })
    }
    assert.deepEqual(gob.decode(gob.encode([Object(3), 4]), gob.slice(gob.float)), [3, 4])
    assert.deepEqual(gob.decode(gob.encode([Object(3), 'a'])), [3, 'a'])
    throwsRpc(() => gob.encode(Object(3), gob.int), /where an integer/)
  })

  it('a Go string that is no UTF-8 is an error, and can be read as bytes', () => {
    const bytes = Uint8Array.of(4, 0x0c, 0, 1, 0xff)
    throwsRpc(() => gob.decode(bytes), /not well-formed UTF-8/)
    assert.deepEqual(gob.decode(bytes, gob.bytes), Uint8Array.of(0xff))
  })

  it('more types than a stream may define are refused, and the stream goes on', () => {
    const encoder = new GobEncoder({ maxTypes: 2 })
    const output = new MemoryOutput()
    encoder.encode({ A: 1 }, output)
    encoder.encode({ B: 1 }, output)
    throwsRpc(() => encoder.encode({ C: { D: 1 } }, output), /more than maxTypes, 2/, 'resource_exhausted')
    encoder.encode({ B: 2 }, output)
    assert.deepEqual(decodeAll(output.take()), [{ A: 1 }, { B: 1 }, { B: 2 }])
  })
})

describe('gob: streams', () => {
  const pieces = (bytes: Uint8Array, size: number) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))

  it('tell a type once, and are read as their bytes come', async () => {
    const encoder = new GobEncoder()
    const values = Array.from({ length: 5 }, (_, i) => ({ X: i, Y: i - 9 }))
    const parts = values.map((value) => encoder.encodeNext(value, Point))
    assert.ok(parts.slice(1).every(({ length }) => length < 10))
    for (const size of [1, 3, 1000])
      assert.deepEqual(
        await Array.fromAsync(gob.decodeStream(pieces(Buffer.concat(parts), size), Point)),
        values,
      )
  })

  it('give what came before they break, or end in the middle of a value', async () => {
    const whole = gob.encode({ X: 1, Y: 2 }, Point)
    for (const [bytes, message] of [
      [whole.slice(0, -1), /ends \d+ bytes into a value/],
      [Buffer.concat([whole, Uint8Array.of(0)]), /is an empty message/],
    ] as const) {
      const seen: unknown[] = []
      await assert.rejects(async () => {
        for await (const value of gob.decodeStream(pieces(bytes, 7), Point)) seen.push(value)
      }, message)
      assert.equal(seen.length, bytes.length > whole.length ? 1 : 0)
    }
  })
})

describe('gob: as a codec', () => {
  it('carries values in order, with and without types', () => {
    const sender = gobCodec.open(defaultLimits)
    const receiver = gobCodec.open(defaultLimits)
    for (const [value, type] of [
      [{ X: 1, Y: 2 }, Point],
      [{ X: 3, Y: 4 }, Point],
      ['text', undefined],
    ] as const) {
      const output = new MemoryOutput()
      output.at = 3
      sender.encode(value, output, type)
      assert.deepEqual(receiver.decode(output.bytes, 3, output.at, type), value)
    }
  })

  it('refuses a message that holds no value, or more than one', () => {
    const two = Uint8Array.of(3, 4, 0, 6, 3, 4, 0, 6)
    for (const bytes of [new Uint8Array(0), two, two.subarray(0, 6), two.subarray(0, 3)]) {
      const session = gobCodec.open(defaultLimits)
      throwsRpc(() => session.decode(bytes, 0, bytes.length), /should be one gob value/)
    }
  })
})

describe('gob: SPEC.md', () => {
  const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8')
  const rows = [...spec.matchAll(/^\| (.+?) \| `([0-9a-f ]{8,})` \|$/gm)]
  const StringSlice = gob.slice(gob.string)
  const values: Readonly<Record<string, (encoder: GobEncoder, output: MemoryOutput) => void>> = {
    'the int 3': (encoder, output) => encoder.encode(3, output),
    'the uint 3, then the string `a`': (encoder, output) => {
      encoder.encode(3, output, gob.uint)
      encoder.encode('a', output)
    },
    '`Point{X: 22, Y: 33}`, of two ints': (encoder, output) =>
      encoder.encode({ X: 22, Y: 33 }, output, Point),
    'the same `Point` again': (encoder, output) => {
      encoder.encode({ X: 22, Y: 33 }, output, Point)
      output.take()
      encoder.encode({ X: 22, Y: 33 }, output, Point)
    },
    'a struct without fields and name': (encoder, output) => encoder.encode({}, output),
    '`[]string{"a", ""}`': (encoder, output) => encoder.encode(['a', ''], output, StringSlice),
    '`[]interface{}{7, nil}`': (encoder, output) => encoder.encode([7, null], output),
  }
  it('has examples', () => assert.equal(rows.length, Object.keys(values).length))
  for (const [, name = '', bytes = ''] of rows) {
    it(`is right about ${name}`, () => {
      const output = new MemoryOutput()
      values[name]?.(new GobEncoder(), output)
      assert.equal(hexOf(output.take()), bytes.replaceAll(' ', ''))
    })
  }
})
