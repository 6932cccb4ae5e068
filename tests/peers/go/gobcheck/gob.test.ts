import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { GobDecoder, GobEncoder, gob } from '../../../../src/codecs/gob/index.ts'
import { MemoryOutput } from '../../../../src/core/bytes/output.ts'
import { buildGo, noGo } from '../../../support/go-peer.ts'
import { GobPeer, goFixtures } from './peer.ts'
import { anySpec, registered, type Spec, tell, typeOf, valueOf } from './specs.ts'

const skip = noGo()
const program = skip === false ? buildGo('gobcheck') : ''

const typed = anySpec.chain((spec) => fc.tuple(fc.constant(spec), valueOf(spec)))

/** Values that can stand alone: nil cannot. */
const several = fc.array(
  typed.filter(([spec, value]) => value !== null && spec.kind !== 'pointer'),
  { minLength: 1, maxLength: 4 },
)

describe("gob and Go's encoding/gob", { skip }, () => {
  let go: GobPeer
  before(() => {
    go = new GobPeer(program)
  })
  after(() => go?.[Symbol.asyncDispose]())

  function encodeAll(list: readonly (readonly [Spec, unknown])[]): Uint8Array {
    const encoder = new GobEncoder()
    const output = new MemoryOutput(8)
    for (const [spec, value] of list) encoder.encode(value, output, typeOf(spec))
    return output.take()
  }

  it('any values of any types come to Go as they are, and back in any pieces', async () => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(several, fc.array(fc.nat(40), { maxLength: 30 }), async (list, cuts) => {
        runs++
        const specs = list.map(([spec]) => spec)
        const expected = list.map(([spec, value]) => tell(spec, value))
        const answer = await go.ask({ register: registered, types: specs, stream: encodeAll(list) })
        assert.equal(answer.error, '')
        assert.deepEqual(answer.values, expected)

        const decoder = new GobDecoder()
        const back: string[] = []
        const take = () => {
          while (back.length < specs.length && decoder.ready) {
            const spec = specs[back.length] as Spec
            back.push(tell(spec, decoder.decodeNext(typeOf(spec))))
          }
        }
        let at = 0
        for (const cut of cuts) {
          decoder.push(answer.stream.subarray(at, at + cut))
          at += cut
          take()
        }
        decoder.push(answer.stream.subarray(at))
        take()
        assert.deepEqual(back, expected)
        assert.equal(decoder.pending, 0)

        // Without types too, and passed over.
        const blind = new GobDecoder()
        blind.push(answer.stream)
        assert.equal([...blind.values()].length, specs.length)
        const idle = new GobDecoder()
        idle.push(answer.stream)
        for (const _ of specs) assert.equal(idle.skipNext(), true)
        assert.equal(idle.pending, 0)
      }),
      { numRuns: 400 },
    )
    assert.ok(runs >= 400)
  })

  it('structs evolve: fields come, go and move, at either end', async () => {
    const field = fc.tuple(fc.constantFrom('both', 'ours', 'theirs'), anySpec)
    await fc.assert(
      fc.asyncProperty(
        fc.array(field, { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.boolean()),
        async (given, coin) => {
          const named = given.map(([where, type], i) => ({ where, name: `F${i}`, type }))
          const common = { where: 'both', name: 'Common', type: { kind: 'string' } as Spec }
          const pick = (side: string): Spec => {
            const fields = [...named, common].filter(({ where }) => where === 'both' || where === side)
            if (coin.next().value) fields.reverse()
            return { kind: 'struct', fields: fields.map(({ name, type }) => ({ name, type })) }
          }
          const ours = pick('ours')
          const theirs = pick('theirs')
          const value = fc.sample(valueOf(ours, 3, false), { numRuns: 1, seed: given.length })[0] as Record<
            string,
            unknown
          >
          const zero = gob.decode(gob.encode({ None: 1, Common: '' }), typeOf(theirs)) as Record<
            string,
            unknown
          >
          const asTheirs = (theirs.fields ?? []).reduce<Record<string, unknown>>(
            (all, { name }) => ({ ...all, [name]: name in value ? value[name] : zero[name] }),
            {},
          )
          const answer = await go.ask({
            register: registered,
            types: [theirs],
            stream: encodeAll([[ours, value]]),
          })
          assert.equal(answer.error, '')
          assert.deepEqual(answer.values, [tell(theirs, asTheirs)])
          const back = gob.decode(answer.stream, typeOf(ours)) as Record<string, unknown>
          const ourZero = gob.decode(gob.encode({ None: 1, Common: '' }), typeOf(ours)) as Record<
            string,
            unknown
          >
          const shared = new Set((theirs.fields ?? []).map(({ name }) => name))
          const expected = Object.fromEntries(
            (ours.fields ?? []).map(({ name }) => [name, shared.has(name) ? value[name] : ourZero[name]]),
          )
          assert.equal(tell(ours, back), tell(ours, expected))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('Go can skip values with interfaces in them, whose types are new', async () => {
    const group = registered[1] as { name: string; type: Spec }
    await fc.assert(
      fc.asyncProperty(valueOf(group.type, 4, false), async (value) => {
        const list: [Spec, unknown][] = [
          [group.type, value],
          [{ kind: 'int' }, 42],
        ]
        const answer = await go.ask({
          register: registered,
          types: [null, { kind: 'int' }],
          stream: encodeAll(list),
        })
        assert.equal(answer.error, '')
        assert.deepEqual(answer.values, ['i42'])
      }),
      { numRuns: 50 },
    )
  })

  it('values without a description arrive where Go has a type for them', async () => {
    const point: Spec = {
      kind: 'struct',
      fields: [
        { name: 'X', type: { kind: 'int' } },
        { name: 'Y', type: { kind: 'float64' } },
      ],
    }
    const table: [unknown, Spec, string][] = [
      [{ X: 1, Y: 2.5 }, point, `<i1;f4004000000000000;>`],
      [
        [
          { X: 1, Y: 2.5 },
          { Y: 1.5, X: 0 },
        ],
        { kind: 'slice', elem: point },
        `[<i1;f4004000000000000;>,<i0;f3ff8000000000000;>,]`,
      ],
      [[1, 2], { kind: 'slice', elem: { kind: 'int64' } }, '[i1,i2,]'],
      [[1, 2.5], { kind: 'slice', elem: { kind: 'float64' } }, '[f3ff0000000000000,f4004000000000000,]'],
      [
        [1, 'a', null, true],
        { kind: 'slice', elem: { kind: 'interface' } },
        '[@int=i1,@string=s61,nil,@bool=true,]',
      ],
      [new Map([['a', 1n]]), { kind: 'map', key: { kind: 'string' }, elem: { kind: 'int' } }, '{s61:i1}'],
      [2n ** 64n - 1n, { kind: 'uint64' }, 'u18446744073709551615'],
      [new Date(1_000), { kind: 'time' }, 't1000'],
      [new Uint8Array([1]), { kind: 'bytes' }, 'b01'],
      [new gob.Complex(1, 0), { kind: 'complex128' }, 'c3ff00000000000000000000000000000'],
    ]
    for (const [value, spec, expected] of table) {
      const answer = await go.ask({ types: [spec], stream: gob.encode(value) })
      assert.equal(answer.error, '')
      assert.deepEqual(answer.values, [expected])
    }
  })

  it('the fixtures are what Go makes', () => {
    const path = new URL('../../../../src/codecs/gob/fixtures/go.json', import.meta.url)
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), goFixtures(program))
  })
})
