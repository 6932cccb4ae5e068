import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GobComplex, GobDecoder, GobNamed, gob } from './index.ts'
import { decodeAll, fixture, hexOf, throwsRpc } from './testing.suite.ts'

const Point = gob.struct('Point', { X: gob.int, Y: gob.int })
const Rect = gob.struct('Rect', { Min: Point, Max: Point })

describe('gob: what Go sends', () => {
  const circle = (Radius: number, Label: string) => new GobNamed('main.Circle', { Radius, Label })
  const drawing = { Name: '', Shape: null, Shapes: [], Table: new Map(), After: 0 }
  const square = (Side: number, Inner: unknown) => new GobNamed('*main.Square', { Side, Inner })
  const table: Record<string, unknown[]> = {
    point: [
      { X: 22, Y: 33 },
      { X: 0, Y: 1 },
      { X: 0, Y: 0 },
    ],
    ints: [
      0,
      1,
      -1,
      63,
      64,
      -64,
      -65,
      127,
      128,
      -129,
      2 ** 20,
      2 ** 31,
      -(2 ** 31),
      2 ** 53 - 1,
      2n ** 53n,
      -(2n ** 53n),
      2n ** 63n - 1n,
      -(2n ** 63n),
    ],
    uints: [
      0,
      127,
      128,
      255,
      256,
      65535,
      2 ** 24,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53 - 1,
      2n ** 53n,
      2n ** 64n - 1n,
    ],
    floats: [
      0,
      1,
      -1,
      17,
      0.1,
      Math.PI,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      Infinity,
      -Infinity,
      NaN,
      -0,
      0.5,
    ],
    complexes: [new GobComplex(0, 0), new GobComplex(1, -2), new GobComplex(0.5, 0.25)],
    bools: [true, false],
    strings: ['', 'a', 'héllo, wörld', '日本語 🎉', 'x'.repeat(300), '\0'],
    bytes: [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(200).fill(7)],
    slices: [
      [],
      [1, -2, 3],
      ['', 'b'],
      [[1], [], [2, 3]],
      [0.5],
      [true, false],
      [
        { X: 1, Y: 2 },
        { X: 0, Y: 0 },
      ],
      [{ X: 3, Y: 4 }],
    ],
    arrays: [
      [1, 2, 3],
      ['a', ''],
      [1, 2, 3, 255],
      [],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    maps: [
      new Map([['a', 1]]),
      new Map(),
      new Map([[-5, 'x']]),
      new Map([[{ X: 1, Y: 2 }, ['p']]]),
      new Map([[true, new Map([['q', 0.25]])]]),
    ],
    rect: [
      { Min: { X: 1, Y: 2 }, Max: { X: 3, Y: 4 } },
      { Min: { X: 0, Y: 0 }, Max: { X: 0, Y: 0 } },
      { Min: { X: 0, Y: 0 }, Max: { X: 0, Y: 5 } },
    ],
    node: [{ Value: 1, Next: { Value: 2, Next: { Value: 0, Next: null } } }],
    tree: [
      {
        Label: 'root',
        Kids: [{ Label: 'kid', Kids: [], Attrs: new Map() }],
        Attrs: new Map([['a', { Label: 'attr', Kids: [], Attrs: new Map() }]]),
      },
    ],
    mutual: [{ Name: 'l', Right: { Size: 3, Left: [{ Name: 'm', Right: null }] } }],
    lists: [[[], [[], []]]],
    embedded: [{ Base: { ID: 5 }, Title: 't' }],
    'interface-known': [
      { X: 1, Y: 2 },
      { ...drawing, Name: 'd', Shape: new GobNamed('main.Point', { X: 3, Y: 4 }), After: 5 },
    ],
    'interface-new': [
      { ...drawing, Name: 'd', Shape: circle(2.5, 'c'), After: 5 },
      { ...drawing, Shape: circle(1, ''), After: 6 },
    ],
    'interface-nested': [{ ...drawing, Shape: square(1, square(2, square(3, circle(1, '')))), After: 7 }],
    'interface-slice': [
      {
        ...drawing,
        Shapes: [
          1,
          'two',
          null,
          3.5,
          circle(1, 'x'),
          new GobNamed('main.Point', { X: 1, Y: 2 }),
          new GobNamed('shapes.Rect', { Min: { X: 0, Y: 0 }, Max: { X: 1, Y: 1 } }),
          [true, 7],
        ],
        After: 8,
      },
    ],
    'interface-map': [{ ...drawing, Table: new Map([['k', new Map([['inner', ['s']]])]]), After: 9 }, 42],
    'interface-top': [circle(2, 'c')],
    duration: [1_500_000_000],
    'rpc-requests': [
      { ServiceMethod: 'Foo.Sum', Seq: 0 },
      { Num1: 1, Num2: 2 },
      { ServiceMethod: 'Foo.Sum', Seq: 1 },
      { Num1: 0, Num2: -7 },
    ],
    'rpc-responses': [
      { ServiceMethod: 'Foo.Sum', Seq: 1, Error: '' },
      3,
      { ServiceMethod: 'Foo.Sum', Seq: 2, Error: 'rpc: boom' },
      {},
      { ServiceMethod: 'Foo.Sum', Seq: 3, Error: '' },
      0,
    ],
  }
  for (const [name, values] of Object.entries(table)) {
    it(`${name}, whole and byte by byte`, () => {
      assert.deepStrictEqual(decodeAll(fixture(name)), values)
      const decoder = new GobDecoder()
      const found: unknown[] = []
      for (const byte of fixture(name)) {
        decoder.push(Uint8Array.of(byte))
        found.push(...decoder.values())
      }
      assert.deepStrictEqual(found, values)
      const idle = new GobDecoder()
      idle.push(fixture(name))
      for (const _ of values) assert.equal(idle.skipNext(), true)
      assert.equal(idle.skipNext(), false)
      assert.equal(idle.pending, 0)
    })
  }

  it('every kind of field, with a description', () => {
    const Blob = gob.opaque('Blob')
    const asText = {
      via: 'binary' as const,
      read: (bytes: Uint8Array) => hexOf(bytes),
      write: (text: string) => Uint8Array.from(Buffer.from(text, 'hex')),
      isZero: (text: string) => text === '',
      zero: () => '',
    }
    const Everything = gob.struct('Everything', {
      Int64: gob.int64,
      Uint64: gob.uint64,
      flag: gob.field('Bool', gob.bool),
      Float64: gob.float,
      Complex: gob.complex,
      String: gob.string,
      Bytes: gob.bytes,
      Ints: gob.slice(gob.int),
      Array: gob.array(3, gob.uint),
      Grid: gob.array(2, gob.array(2, gob.int)),
      Ages: gob.map(gob.string, gob.int),
      Nested: Rect,
      Pointer: gob.pointer(Point),
      Number: gob.pointer(gob.int),
      Nothing: gob.any,
      Any: gob.interface({ string: gob.string }),
      Time: gob.time,
      For: gob.int,
      Blob,
      Packed: gob.opaque('Packed', asText),
      Unknown: gob.pointer(gob.string),
      Missing: gob.array(2, gob.struct('', { A: gob.slice(gob.int) })),
    })
    const zero = {
      Int64: 0,
      Uint64: 0,
      flag: false,
      Float64: 0,
      Complex: new GobComplex(0, 0),
      String: '',
      Bytes: new Uint8Array(0),
      Ints: [],
      Array: [0, 0, 0],
      Grid: [
        [0, 0],
        [0, 0],
      ],
      Ages: new Map(),
      Nested: { Min: { X: 0, Y: 0 }, Max: { X: 0, Y: 0 } },
      Pointer: null,
      Number: null,
      Nothing: null,
      Any: null,
      Time: new Date('0001-01-01T00:00:00Z'),
      For: 0,
      Blob: new Uint8Array(0),
      Packed: '',
      Unknown: null,
      Missing: [{ A: [] }, { A: [] }],
    }
    const full: gob.Infer<typeof Everything> = {
      ...zero,
      Int64: -(2n ** 63n),
      Uint64: 2n ** 64n - 1n,
      flag: true,
      Float64: 1e100,
      Complex: new GobComplex(1, 2),
      String: 'text',
      Bytes: new Uint8Array(Buffer.from('bytes')),
      Ints: [1, 2],
      Array: [1, 2, 3],
      Grid: [
        [1, 2],
        [3, 4],
      ],
      Ages: new Map([['k', 7]]),
      Nested: { Min: { X: 1, Y: 2 }, Max: { X: 3, Y: 4 } },
      Pointer: { X: 5, Y: 6 },
      Number: 7,
      Any: new GobNamed('string' as const, 'any'),
      Time: new Date('2026-01-02T03:04:05.006Z'),
      For: 1_500_000_000,
      Blob: new Uint8Array([9, 8]),
      Packed: '07',
    }
    assert.deepStrictEqual(decodeAll(fixture('everything'), Everything), [full, zero])
    assert.deepStrictEqual(gob.decode(gob.encode(full, Everything), Everything), full)
    assert.deepStrictEqual(gob.decode(gob.encode(zero as never, Everything), Everything), zero)
    // What is missing is zero when it is sent, too.
    assert.deepStrictEqual(gob.decode(gob.encode({} as never, Everything), Everything), zero)
  })

  it('time.Time as Dates', () => {
    const expected = [
      '2026-01-02T03:04:05.006Z',
      '0001-01-01T00:00:00.000Z',
      '1969-12-31T22:59:59.999Z',
      '1999-12-31T23:58:30.000Z',
    ]
    const dates = decodeAll(fixture('time'), gob.time) as Date[]
    assert.deepEqual(
      dates.map((date) => date.toISOString()),
      expected,
    )
    assert.deepEqual(
      decodeAll(fixture('time')).map((bytes) => (bytes as Uint8Array).length),
      [15, 15, 15, 16],
    )
    for (const date of dates) assert.deepEqual(gob.decode(gob.encode(date, gob.time), gob.time), date)
    throwsRpc(() => gob.encode(new Date(Number.NaN), gob.time), /valid Date/)
    assert.deepEqual(gob.decode(gob.encode([1, new Date(5)])), [1, new Date(5)])
  })

  it('structs that have changed: fields are matched by name', () => {
    const [v2] = decodeAll(fixture('person-v2'), gob.struct('P', { Name: gob.string, Age: gob.int }))
    assert.deepStrictEqual(v2, { Name: 'Ann', Age: 0 })
    const [v1] = decodeAll(
      fixture('person-v1'),
      gob.struct('P', { Tags: gob.slice(gob.string), Name: gob.string }),
    )
    assert.deepStrictEqual(v1, { Tags: [], Name: 'Ann' })
    throwsRpc(
      () => decodeAll(fixture('person-v1'), gob.struct('Other', { Size: gob.int })),
      'the gob value at $ has no field in common with Other',
    )
    throwsRpc(
      () => decodeAll(fixture('person-v1'), gob.struct('P', { Name: gob.int })),
      'the gob value at $.Name is a string at the peer, where an int is expected',
    )
  })
})
