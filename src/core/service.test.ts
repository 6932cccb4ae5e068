import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import * as v from 'valibot'
import { method } from './method.ts'
import { internalService, service } from './service.ts'

type Loose = (...args: any[]) => any
const make = service as Loose

test('a service has the own functions of a plain object', () => {
  const math = service(
    'math',
    {
      add: (a: number, b: number, c = 10) => a + b + c,
      async *count(upTo: number) {
        for (let i = 1; i <= upTo; i++) yield i
      },
      twice: method(
        { idempotent: true, timeoutMs: 500, streams: 'both', context: false, doc: 'Twice.' },
        (a: number) => a * 2,
      ),
    },
    { version: '1.2' },
  )
  assert.equal(math.name, 'math')
  assert.equal(math.version, '1.2')
  assert.deepEqual([...math.methods.keys()], ['add', 'count', 'twice'])
  const add = math.methods.get('add')
  assert.deepEqual(add?.info, {
    params: ['a', 'b', 'c'],
    idempotent: false,
    input: 'values',
    output: 'value',
  })
  assert.deepEqual([add?.minimum, add?.maximum], [2, 3])
  assert.equal(math.methods.get('count')?.info.output, 'stream')
  const twice = math.methods.get('twice')
  assert.deepEqual(twice?.info, { params: ['a'], idempotent: true, input: 'stream', output: 'stream' })
  assert.deepEqual([twice.timeoutMs, twice.context, twice.doc], [500, false, 'Twice.'])
  assert.ok(Object.isFrozen(math) && Object.isFrozen(add) && Object.isFrozen(add?.info))
})

test('changing the object afterwards changes nothing', () => {
  const members: Record<string, () => number> = { one: () => 1 }
  const made = service('s', members)
  members['one'] = () => 2
  members['two'] = () => 2
  assert.equal(made.methods.get('one')?.fn(), 1)
  assert.equal(made.methods.has('two'), false)
})

test('methods of an object see it as this', () => {
  const made = service('s', {
    one: () => 1,
    two(): number {
      return this.one() + 1
    },
  })
  assert.equal(made.methods.get('two')?.fn(), 2)
})

class Base {
  offset = 100
  inherited(a: number) {
    return a + this.offset
  }
}
class Calculator extends Base {
  value = 1
  field = (a: number) => a + this.value
  declared = method({ idempotent: true }, (a: number) => a + this.value)
  get getter() {
    return () => 1
  }
  add(a: number, b: number) {
    return a + b + this.value
  }
  hidden() {}
}

test('a class instance gives the listed methods, bound to it, under the name of its class', () => {
  const made = service(new Calculator(), { methods: ['add', 'inherited', 'field', 'declared'] })
  assert.equal(made.name, 'Calculator')
  assert.deepEqual([...made.methods.keys()], ['add', 'inherited', 'field', 'declared'])
  assert.equal(made.methods.get('add')?.fn(1, 2), 4)
  assert.equal(made.methods.get('inherited')?.fn(1), 101)
  assert.equal(made.methods.get('field')?.fn(1), 2)
  assert.equal(made.methods.get('declared')?.info.idempotent, true)
  assert.equal(service(new Calculator(), { methods: ['add'], name: 'calc', version: '3' }).name, 'calc')
})

test('a module of functions is a service as it stands', async () => {
  const names = await import('./nearest.ts')
  assert.deepEqual([...service('names', names).methods.keys()], ['nearest'])
})

const f = () => 1
const wrong: readonly [what: string, define: () => unknown, why: RegExp][] = [
  ['no methods', () => make('s', {}), /service 's': it has no methods/],
  ['a dotted service', () => make('a.b', { f }), /service 'a\.b' .*dot/],
  ['our prefix', () => make('farcall.x', { f }), /Farcall's own/],
  ['an empty name', () => make('', { f }), /it is empty/],
  ['a dotted method', () => make('s', { 'a.b': f }), /method of service 's': 'a\.b' .*dot/],
  ['a reserved method', () => make('s', { $with: f }), /'\$with' .*belong to Farcall/],
  ['then', () => make('s', Object.fromEntries([['th' + 'en', f]])), /'then' .*the language/],
  ['__proto__ as an own name', () => make('s', { ['__proto__']: f }), /'__proto__' .*the language/],
  ['a prototype in its literal', () => make('s', { __proto__: { f } }), /must be a plain object/],
  ['a value', () => make('s', { f, answer: 42 }), /s\.answer: a method must be a function, this is a number/],
  ['null', () => make('s', { f: null }), /this is null/],
  ['an object', () => make('s', { f: { fn: f } }), /this is an object/],
  ['a class', () => make('s', { Calculator }), /this is a class; give an instance/],
  [
    'a getter',
    () =>
      make('s', {
        get f() {
          return f
        },
      }),
    /'f' is a getter/,
  ],
  [
    'an instance as members',
    () => make('s', new Calculator()),
    /got an instance of Calculator; .*methods: \['…'\]/,
  ],
  ['no members', () => make('s'), /must be a plain object, got undefined/],
  ['neither name nor instance', () => make(null, { f }), /takes a name and functions/],
  ['a version that is no text', () => make('s', { f }, { version: 1 }), /version must be a short text/],
  [
    'a listed method that is not there',
    () => make(new Calculator(), { methods: ['mul'] }),
    /Calculator has no method 'mul'/,
  ],
  [
    'a listed property that is no function',
    () => make(new Calculator(), { methods: ['value'] }),
    /Calculator\.value: .*a number/,
  ],
  ['a listed getter', () => make(new Calculator(), { methods: ['getter'] }), /'getter' is a getter/],
  [
    'a method listed twice',
    () => make(new Calculator(), { methods: ['add', 'add'] }),
    /'add' is listed twice/,
  ],
  [
    'a listed constructor',
    () => make(new Calculator(), { methods: ['constructor'] }),
    /'constructor' .*the language/,
  ],
  [
    'what every object inherits',
    () => make(new Calculator(), { methods: ['toString'] }),
    /no method 'toString'/,
  ],
  ['no list', () => make(new Calculator(), {}), /name the methods that may be called/],
  ['an empty list', () => make(new Calculator(), { methods: [] }), /has no methods/],
  ['an object without a class or name', () => make({ f }, { methods: ['f'] }), /needs a name/],
  [
    'a nameless class',
    () =>
      make(
        new (class {
          f() {}
        })(),
        { methods: ['f'] },
      ),
    /needs a name/,
  ],
  [
    'too few names',
    () => make('s', { f: method({ params: ['a'] }, (a: number, b: number) => a + b) }),
    /s\.f: params names 1 parameters, but the function has 2/,
  ],
  [
    'too many names',
    () => make('s', { f: method({ params: ['a', 'b'] }, (a: number) => a) }),
    /names 2 parameters, but the function has 1/,
  ],
  [
    'a doubled name',
    () => make('s', { f: method({ params: ['a', 'a'] }, (a: number, b: number) => a + b) }),
    /names 'a' twice/,
  ],
  [
    'no name',
    () => make('s', { f: method({ params: ['a b'] }, (a: number) => a) }),
    /'a b' in params is no name/,
  ],
  [
    '__proto__ as a parameter',
    () => make('s', { f: method({ params: ['__proto__'] }, (a: number) => a) }),
    /is no name of a parameter/,
  ],
  [
    'too few schemas',
    () => make('s', { f: method({ input: [z.number()] } as any, (a: number, b: number) => a + b) }),
    /input has 1 schemas, but the function has 2/,
  ],
  [
    'what is no schema',
    () => make('s', { f: method({ input: [undefined, {}] } as any, (a: number, b: number) => a + b) }),
    /input for parameter b is no schema/,
  ],
  [
    'output that is no schema',
    () => make('s', { f: method({ output: 'number' } as any, f) }),
    /output must be a schema/,
  ],
  [
    'an unknown option',
    () => make('s', { f: method({ timeout: 1 } as any, f) }),
    /unknown option 'timeout'; known are params/,
  ],
  ['a bad time', () => make('s', { f: method({ timeoutMs: 0 }, f) }), /timeoutMs must be a positive number/],
  ['bad streams', () => make('s', { f: method({ streams: 'in' } as any, f) }), /streams must be/],
  [
    'an unknown code',
    () => make('s', { f: method({ errors: { gone: { code: 'gone' } } } as any, f) }),
    /error 'gone' needs one of the sixteen codes/,
  ],
  [
    'bad details',
    () => make('s', { f: method({ errors: { gone: { code: 'aborted', details: 1 } } } as any, f) }),
    /details of error 'gone' is no schema/,
  ],
]

for (const [what, define, why] of wrong) {
  test(`a service with ${what} fails when it is defined`, () => {
    assert.throws(define, { name: 'RpcError', code: 'invalid_argument', message: why })
  })
}

test('declared names replace those that are read, and keep what is optional', () => {
  const read = (options: object, fn: (...args: any[]) => unknown) => {
    const found = service('s', { f: method(options, fn) }).methods.get('f')!
    return [found.info.params, found.minimum, found.maximum]
  }
  assert.deepEqual(
    read({ params: ['x', 'y'] }, (a: number, b = 1) => a + b),
    [['x', 'y'], 1, 2],
  )
  assert.deepEqual(
    read({ params: ['x', 'y?'] }, (a: number, b?: number) => [a, b]),
    [['x', 'y'], 1, 2],
  )
  assert.deepEqual(
    read({ params: ['x'] }, ({ a }: { a: number }) => a),
    [['x'], 1, 1],
  )
  assert.deepEqual(read({ params: ['x', 'y'] }, Math.pow), [['x', 'y'], 2, 2])
  assert.deepEqual(
    read({ params: ['x', 'y'] }, (...all: number[]) => all),
    [['x', 'y', 'all'], 0, Infinity],
  )
  assert.deepEqual(
    read({}, ({ a }: { a: number }) => a),
    [undefined, 1, 1],
  )
  assert.deepEqual(read({}, Math.pow), [undefined, 2, Infinity])
})

test('schemas of several libraries stand side by side, and decide what may be missing', () => {
  const made = service('s', {
    f: method(
      { input: [undefined, z.number(), v.optional(v.number())] },
      (a: string, b: number, c?: number) => [a, b, c],
    ),
  })
  assert.equal(made.methods.get('f')?.minimum, 1)
})

test('our own services have our prefix', () => {
  assert.equal(internalService('farcall.registry', { f }).name, 'farcall.registry')
  assert.throws(() => internalService('registry' as 'farcall.x', { f }), {
    message: /should begin with 'farcall.'/,
  })
})
