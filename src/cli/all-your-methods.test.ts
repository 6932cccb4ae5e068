import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAllYourMethods } from './all-your-methods.ts'

const signatures = (answer: unknown) => readAllYourMethods(answer).methods.map(({ signature }) => signature)

describe('what a server answers to all_your_methods', () => {
  it('is names with parameters, in whichever form', () => {
    const forms: unknown[] = [
      { add: '(a, b)', up: '()' },
      new Map([
        ['add', 'a, b'],
        ['up', ''],
      ]),
      { add: ['a', 'b'], up: [] },
      ['add(a, b)', 'up()'],
      [
        ['add', ['a', 'b']],
        ['up', []],
      ],
      [
        { name: 'add', parameters: ['a', 'b'] },
        { method_name: 'up', args: '' },
      ],
      'add(a, b)\nup()\n',
    ]
    for (const form of forms) assert.deepEqual(signatures(form), ['add(a, b)', 'up()'], JSON.stringify(form))
  })

  it('is shown as it is where it is something else', () => {
    assert.deepEqual(signatures(['add', 'up']), ['add', 'up'])
    assert.deepEqual(signatures({ add: null, up: undefined }), ['add', 'up'])
    assert.deepEqual(signatures(7), ['7'])
    assert.deepEqual(signatures(null), ['null'])
    assert.deepEqual(signatures([{ what: 1 }]), ['{ what: 1 }'])
    assert.deepEqual(signatures([]), [])
  })

  it('knows the names of parameters only where each has one', () => {
    const { methods } = readAllYourMethods({ a: '(x, y=1, z: int = 2)', b: '(*args)', c: '(x, /)', d: '()' })
    assert.deepEqual(
      methods.map(({ name, params }) => [name, params]),
      [
        ['a', ['x', 'y', 'z']],
        ['b', undefined],
        ['c', undefined],
        ['d', []],
      ],
    )
  })
})
