import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toJson } from '../output/json.ts'
import { namePositions } from './name-positions.ts'
import { readArgument } from './read-argument.ts'
import { splitArguments } from './split-arguments.ts'

const flags = [
  { names: ['--timeout'], takesValue: true },
  { names: ['--json'], takesValue: false },
  { names: ['--help', '-h'], takesValue: false },
  { names: ['--port', '-p'], takesValue: true },
]
const split = (...words: string[]) => {
  const { own, list, named } = splitArguments(words, flags)
  return { own, list, named: Object.fromEntries(named) }
}

describe('what is typed behind call', () => {
  it('tells flags of its own from arguments, wherever they stand', () => {
    assert.deepEqual(split('--json', 'm.a', '1', '--timeout', '5', '--b', '2', '-h'), {
      own: ['--json', '--timeout', '5', '-h'],
      list: ['m.a', '1'],
      named: { b: '2' },
    })
    assert.deepEqual(split('m.a', '--timeout=5').own, ['--timeout=5'])
  })

  it('tells short flags, with a value behind them or beside them', () => {
    assert.deepEqual(split('add', '-p', '1', '--on', '-p2', '-habit', '-5x', '--c', '-p'), {
      own: ['-p', '1', '-p2', '-p'],
      list: ['add', '-habit', '-5x'],
      named: { on: true, c: true },
    })
  })

  it('takes names with =, with nothing, with dashes and dots', () => {
    const { named } = split(
      'm.a',
      '--x=',
      '--y=a=b',
      '--on',
      '--user-id',
      '7',
      '--arg.timeout',
      '3',
      '--last',
    )
    assert.deepEqual(named, { x: '', y: 'a=b', on: true, 'user-id': '7', timeout: '3', last: true })
  })

  it('keeps names that mean something to the language', () => {
    const { named } = splitArguments(['m.a', '--__proto__', '1', '--constructor', '2'], flags)
    assert.deepEqual(
      [...named],
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    )
  })

  it('takes negative numbers and a lone dash as values, and all behind --', () => {
    assert.deepEqual(split('m.a', '-5', '-', '--n', '-1.5', '--', '--json', '-x'), {
      own: [],
      list: ['m.a', '-5', '-', '--json', '-x'],
      named: { n: '-1.5' },
    })
  })

  it('refuses what is given twice, and short flags that are none', () => {
    assert.throws(() => split('m.a', '--b', '1', '--b', '2'), /'b' is given twice/)
    assert.throws(() => split('m.a', '-x'), /no flag -x/)
  })
})

describe('an argument', () => {
  it('is JSON where it is JSON, else a text', () => {
    const read: [string, unknown][] = [
      ['1', 1],
      ['-1.5e3', -1500],
      ['true', true],
      ['null', null],
      ['[1,"a"]', [1, 'a']],
      ['"1"', '1'],
      ['1x', '1x'],
      ['{a:1}', '{a:1}'],
      ['', ''],
      ['007', '007'],
      ['truest', 'truest'],
      ['9007199254740993', 9_007_199_254_740_993n],
      ['{"$bytes":"AQI="}', new Uint8Array([1, 2])],
    ]
    for (const [text, value] of read) assert.deepEqual(readArgument(text), value, text)
  })

  it('tells whole floats from integers, for those who want to know', () => {
    const read = (text: string) => readArgument(text, { floats: true })
    assert.deepEqual(read('3.0'), Object(3))
    assert.deepEqual(read('{"X":[1e2,4,"5.0"],"Y":2.5}'), { X: [Object(100), 4, '5.0'], Y: 2.5 })
    assert.deepEqual(readArgument('3.0'), 3)
    assert.equal(read('3.0x'), '3.0x')
  })

  it('reads back whatever is printed as JSON', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 3 }),
        (value) => {
          // A number is read as it was meant; what has a prototype or symbols of its own does not travel at all.
          let text: string
          try {
            text = toJson([value])
          } catch {
            return
          }
          assert.equal(toJson(readArgument(text)), text)
        },
      ),
    )
  })
})

describe('positions and names together', () => {
  const method = { name: 'add', signature: 'add(a, b)', params: ['a', 'b'], idempotent: false } as const
  const described = { ...method, input: 'values', output: 'value' } as const
  const name = (list: unknown[], named: [string, unknown][]) =>
    Object.fromEntries(namePositions('math.add', described, { list, named: new Map(named) }))

  it('gives positions their names', () => assert.deepEqual(name([1], [['b', 2]]), { a: 1, b: 2 }))

  it('refuses what does not go together', () => {
    assert.throws(() => name([1], [['a', 2]]), /'a' of math\.add is given by position and by name/)
    assert.throws(() => name([1, 2, 3], [['b', 2]]), /takes \(a, b\), and 3 are given/)
    assert.throws(
      () => namePositions('math.sub', undefined, { list: [1], named: new Map() }),
      /names of math\.sub's parameters are not known/,
    )
  })
})
