import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gob } from '../../codecs/gob/index.ts'
import { fromGoJson, toGoJson } from './json-types.ts'

const node: gob.GobType = gob.struct('Node', {
  name: gob.field('Name', gob.string),
  tags: gob.field('Tags', gob.slice(gob.string)),
  sizes: gob.field('Sizes', gob.map(gob.int, gob.uint64)),
  raw: gob.field('Raw', gob.bytes),
  at: gob.field('At', gob.pointer(gob.time)),
  next: gob.field('Next', gob.pointer(gob.lazy(() => node))),
})

const empty = { name: '', tags: [], sizes: new Map(), raw: new Uint8Array(0), at: null, next: null }

describe('Go types in JSON', () => {
  it('give our names to fields, whatever the case, and zero to what is not there', () => {
    assert.deepEqual(fromGoJson({ name: 'a', TAGS: ['b'], Surplus: 1 }, node), {
      ...empty,
      name: 'a',
      tags: ['b'],
    })
    assert.deepEqual(fromGoJson({ Name: 'exact', name: 'other' }, node), { ...empty, name: 'exact' })
    assert.deepEqual(fromGoJson(null, node), empty)
    assert.deepEqual(fromGoJson(null, gob.array(2, gob.int)), [0, 0])
  })

  it('make bytes, Maps, Dates and bigints, and are written back as Go wants them', () => {
    const json = {
      Name: 'n',
      Tags: [],
      Sizes: { '-7': 2n ** 64n - 1n },
      Raw: 'AP8=',
      At: '2006-01-02T15:04:05.000Z',
      Next: { Name: 'm' },
    }
    const value = fromGoJson(json, node)
    assert.deepEqual(value, {
      name: 'n',
      tags: [],
      sizes: new Map([[-7, 2n ** 64n - 1n]]),
      raw: Uint8Array.of(0, 255),
      at: new Date('2006-01-02T15:04:05Z'),
      next: { ...empty, name: 'm' },
    })
    assert.deepEqual(toGoJson({ name: 'n', next: { tags: ['t'] } }, node, 9), {
      Name: 'n',
      Next: { Tags: ['t'] },
    })
  })

  const rows: [value: unknown, type: gob.GobType, message: RegExp][] = [
    [{ Name: 5 }, node, /at \$\.Name should be a text/],
    [{ Tags: 'x' }, node, /at \$\.Tags should be a list/],
    [{ Sizes: { a: 1 } }, node, /keys are integers/],
    [{ Sizes: { 1: -1 } }, node, /at \$\.Sizes\["1"\] should be an integer that fits/],
    [{ Raw: '*' }, node, /at \$\.Raw should be bytes in base64/],
    [{ At: 'soon' }, node, /at \$\.At should be a time/],
    [[1], node, /at \$ should be an object/],
    [1.5, gob.int, /should be an integer/],
    [2n ** 60n, gob.int, /should be an integer/],
    [1, gob.bool, /should be true or false/],
    ['1', gob.float, /should be a number/],
  ]
  for (const [value, type, message] of rows) {
    it(`refuse what does not fit: ${message.source}`, () =>
      assert.throws(() => fromGoJson(value, type), message))
  }

  it('refuse a cycle', () => {
    const cycle: { name: string; next?: unknown } = { name: 'a' }
    cycle.next = cycle
    assert.throws(() => toGoJson(cycle, node, 64), /nested too deep/)
  })
})
