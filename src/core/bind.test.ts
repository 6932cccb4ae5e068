import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { bind } from './bind.ts'
import type { Arguments } from './call.ts'
import { type AnyFunction, type Method, method } from './method.ts'
import { service } from './service.ts'

function define(fn: AnyFunction, options: object = {}, version?: string): Method {
  return service('s', { f: method(options, fn) }, version === undefined ? {} : { version }).methods.get('f')!
}
const named = (values: object, list: unknown[] = []): Arguments => ({
  list,
  named: new Map(Object.entries(values)),
})
const message = (value: unknown): Arguments => ({ list: [value], message: true })
const typed = (value: unknown): Arguments => ({ list: [value], message: true, typed: true })
const add = define((a: number, b: number, c = 10) => a + b + c, {}, '1.2')
const none = define(() => 1)
const sole = define((request: unknown) => request)
const rest = define((a: number, ...more: number[]) => [a, more])
const unnamed = define(({ a }: { a: number }, b: number) => a + b)

const bound: readonly [what: string, method: Method, args: Arguments, result: readonly unknown[]][] = [
  ['a list', add, { list: [1, 2, 3] }, [1, 2, 3]],
  ['a list without the optional', add, { list: [1, 2] }, [1, 2]],
  ['an explicit undefined', add, { list: [1, 2, undefined] }, [1, 2, undefined]],
  ['names', add, named({ b: 2, a: 1 }), [1, 2]],
  ['names after a list', add, named({ c: 3, b: 2 }, [1]), [1, 2, 3]],
  ['undefined by name', add, named({ a: undefined, b: 2 }), [undefined, 2]],
  ['an empty map of names', add, named({}, [1, 2]), [1, 2]],
  ['any number for a rest parameter', rest, { list: [1, 2, 3, 4] }, [1, 2, 3, 4]],
  ['a message for the sole parameter', sole, message({ a: 1, b: 2 }), [{ a: 1, b: 2 }]],
  ['a message spread over several', add, message({ a: 1, b: 2 }), [1, 2]],
  ['a message without a prototype', add, message(Object.assign(Object.create(null), { a: 1, b: 2 })), [1, 2]],
  ['a typed message whose field is called like the sole parameter', sole, typed({ request: 1 }), [1]],
  ['a typed message whose field is not', sole, typed({ a: 1 }), [{ a: 1 }]],
  ['a message that only looks like it', sole, message({ request: 1 }), [{ request: 1 }]],
  ['a typed message spread over several', add, typed({ a: 1, b: 2 }), [1, 2]],
  ['an empty message for none', none, message({}), []],
  ['null as the message for none', none, message(null), []],
  ['a message that is no object', rest, message(5), [5]],
  ['null by position', add, { list: [null, 2, null] }, [null, 2, null]],
]
for (const [what, target, args, result] of bound) {
  test(`binds ${what}`, () => assert.deepEqual(bind(target, args), result))
}

const refused: readonly [what: string, method: Method, args: Arguments, why: RegExp][] = [
  [
    'too many',
    add,
    { list: [1, 2, 3, 4] },
    /^s\.f takes at most 3 arguments, got 4; is the server \(s 1\.2\) older than the caller\?$/,
  ],
  ['any for none', none, { list: [1] }, /^s\.f takes no arguments, got 1; is the server older/],
  ['too few', add, { list: [1] }, /^s\.f is missing argument 'b'$/],
  ['none of two', add, { list: [] }, /^s\.f is missing arguments 'a', 'b'$/],
  ['one missing by name', add, named({ b: 2 }), /is missing argument 'a'/],
  ['an unknown name', add, named({ a: 1, b: 2, d: 4 }), /has no parameter 'd'; it takes a, b, c/],
  ['a name for none', none, named({ a: 1 }), /has no parameter 'a'; it takes none/],
  ['a doubled name', add, named({ a: 1 }, [1, 2]), /got argument 'a' twice: by position and by name/],
  ['too many beside names', add, named({ a: 1 }, [1, 2, 3, 4]), /at most 3 arguments, got 4/],
  ['names that are not known', unnamed, named({ a: 1 }), /no arguments by name.*declare them on the server/],
  [
    'a message over unknown names',
    unnamed,
    message({ a: 1 }),
    /cannot be spread.*declare them on the server/,
  ],
  ['a missing argument without a name', unnamed, { list: [] }, /is missing arguments 1, 'b'/],
  ['a rest parameter by name', rest, named({ a: 1, more: 2 }), /has no parameter 'more'/],
  ['a message with an unknown key', add, message({ a: 1, b: 2, x: 3 }), /has no parameter 'x'/],
  ['a message with a missing key', add, message({ a: 1 }), /is missing argument 'b'/],
  [
    'a message with inherited keys',
    add,
    message(Object.assign(Object.create({ b: 2 }), { a: 1 })),
    /is missing argument 'b'/,
  ],
  ['a typed message with a field too many', sole, typed({ request: 1, a: 2 }), /has no parameter 'a'/],
  ['a message for none that says something', none, message({ a: 1 }), /has no parameter 'a'/],
  ['a list as the message of several', add, message([1, 2]), /is missing argument 'b'/],
]
for (const [what, target, args, why] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(() => bind(target, args), { name: 'RpcError', code: 'invalid_argument', message: why })
  })
}

test('hostile names are only unknown names', () => {
  for (const name of [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'then',
    'hasOwnProperty',
    '0',
    'length',
    '',
  ]) {
    assert.throws(() => bind(add, { list: [1, 2], named: new Map([[name, 1]]) }), {
      message: /has no parameter/,
    })
    const hostile = JSON.parse(`{"a":1,"b":2,${JSON.stringify(name)}:{"polluted":true}}`)
    assert.throws(() => bind(add, message(hostile)), { message: /has no parameter/ })
  }
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
})

test('a wrapper that takes anything can name what it takes', () => {
  const wrapper = define((...all: unknown[]) => all, { params: ['a', 'b'] })
  assert.deepEqual(bind(wrapper, named({ b: 2 })), [undefined, 2])
  assert.deepEqual(bind(wrapper, { list: [1, 2, 3] }), [1, 2, 3])
})

// Python's rules, stated anew: each parameter gets its argument by position, else by name, else its default.
function bindAsPython(count: number, required: number, args: { list: number[]; named: Map<string, number> }) {
  if (args.list.length > count) return 'too many'
  const slots = Array.from({ length: count }, (_, at) => args.list[at])
  for (const [name, value] of args.named) {
    const at = names.indexOf(name)
    if (at === -1 || at >= count) return 'unknown'
    if (at < args.list.length) return 'twice'
    slots[at] = value
  }
  return slots.slice(0, required).includes(undefined) ? 'missing' : slots
}
const names = ['a', 'b', 'c', 'd', 'e']
const reasons = {
  'too many': /at most|no arguments/,
  unknown: /has no parameter/,
  twice: /twice/,
  missing: /missing/,
}

test("any split into positions and names binds by Python's rules", () => {
  fc.assert(
    fc.property(
      fc.nat(4),
      fc.nat(4),
      fc.array(fc.nat(99), { maxLength: 5 }),
      fc.dictionary(fc.constantFrom(...names, 'x'), fc.nat(99)),
      (count, defaults, list, byName) => {
        const required = Math.max(0, count - defaults)
        const params = names.slice(0, count).map((name, at) => (at < required ? name : `${name}=0`))
        // oxlint-disable-next-line typescript/no-implied-eval -- a function of any shape
        const target = define(new Function(...params, 'return 1') as AnyFunction)
        const args = { list, named: new Map(Object.entries(byName)) }
        const expected = bindAsPython(count, required, args)
        if (typeof expected === 'string') {
          // Several things may be wrong at once: which one is told does not matter.
          assert.throws(() => bind(target, args), { code: 'invalid_argument' })
        } else {
          const result = [...bind(target, args)]
          while (result.length < count) result.push(undefined)
          assert.deepEqual(result, expected)
        }
        if (args.named.size === 1 && typeof expected === 'string') {
          assert.throws(() => bind(target, args), { message: reasons[expected] })
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('any split of the same arguments gives the same binding', () => {
  const five = define((a: number, b: number, c: number, d: number, e: number) => [a, b, c, d, e])
  const all = [1, 2, 3, 4, 5]
  fc.assert(
    fc.property(fc.nat(5), fc.shuffledSubarray(names, { minLength: 5 }), (split, order) => {
      const byName = order.filter((name) => names.indexOf(name) >= split)
      const args = {
        list: all.slice(0, split),
        named: new Map(byName.map((name) => [name, all[names.indexOf(name)]])),
      }
      assert.deepEqual(bind(five, args), all)
    }),
  )
})
