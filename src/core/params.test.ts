import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { countRequired, formatParameters, readParameters } from './params.ts'

function show(fn: unknown): string | undefined {
  const parameters = readParameters(fn as (...args: never[]) => unknown)
  return parameters === undefined ? undefined : formatParameters(parameters)
}

// Sources rather than functions: the tests' own types would be stripped from them, and formatters would tidy them up.
function make(source: string): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- a function of any shape
  return new Function(`return (${source})`)()
}

const readable: readonly [source: string, shown: string][] = [
  ['(a, b, c = 10) => a', '(a, b, c=10)'],
  ['a => a', '(a)'],
  ['async a => a', '(a)'],
  ['async => async', '(async)'],
  ['async (a) => a', '(a)'],
  ['() => 1', '()'],
  ['( /* nothing */ ) => 1', '()'],
  ['function (a, b) {}', '(a, b)'],
  ['function named(a, b,) {}', '(a, b)'],
  ['async function named(a) {}', '(a)'],
  ['function* named(a) {}', '(a)'],
  ['async function* (a) {}', '(a)'],
  ['({ m(a, b) {} }).m', '(a, b)'],
  ['({ async m(a) {} }).m', '(a)'],
  ['({ *m(a) {} }).m', '(a)'],
  ['({ async *m(a) {} }).m', '(a)'],
  ['({ async(a) {} }).async', '(a)'],
  ['({ function(a) {} }).function', '(a)'],
  ['({ "odd (name)"(a) {} })["odd (name)"]', '(a)'],
  ['({ ["x" + String("(")](a) {} })["x("]', '(a)'],
  ['({ [`${"("}`](a) {} })["("]', '(a)'],
  ['({ 1(a) {} })[1]', '(a)'],
  ['new (class { m(a, b = 2) {} })().m', '(a, b=2)'],
  ['new (class { static #p(a) {} m = this.constructor.get(); static get() { return this.#p } })().m', '(a)'],
  ['Object.getOwnPropertyDescriptor({ set x(value) {} }, "x").set', '(value)'],
  ['(...all) => all', '(...all)'],
  ['(a, ... rest) => a', '(a, ...rest)'],
  ['({ a, b }) => a', '({…})'],
  ['([a, b] = []) => a', '({…}?)'],
  ['({ a = ")" } = {}, b) => a', '({…}?, b)'],
  ['(a, ...[b, c]) => a', '(a, ...{…})'],
  ['(a = ")", b = "\\")", c = \'(\') => a', '(a=")", b?, c=\'(\')'],
  ['(a = `)${"}`" + `)`})`, b) => a', '(a?, b)'],
  ['(a = /[/)]\\/\\)/g, b) => a', '(a?, b)'],
  ['(a = 6 / 2, b = 4 / 1) => a', '(a?, b?)'],
  ['(a = (1) / 2, b = [4][0] / 1, c) => a', '(a?, b?, c)'],
  ['(a = (x, y) => ({ x, y }), b) => a', '(a?, b)'],
  ['(a = function (x, y) { return ")" }, b) => a', '(a?, b)'],
  ['(a = b => b, c) => a', '(a?, c)'],
  ['(a /* , x */, // ) y\n b) => a', '(a, b)'],
  ['(a = "/*", b = "*/") => a', '(a="/*", b="*/")'],
  ['/* (x) => */ (a) => a', '(a)'],
  ['function /* (x) */ f /* (y) */ (a) {}', '(a)'],
  [
    '(a = -1.5, b = 10n, c = true, d = null, e = {}, f = [ ]) => a',
    '(a=-1.5, b=10n, c=true, d=null, e={}, f=[ ])',
  ],
  ['(key = Symbol.for("secret").toString()) => key', '(key?)'],
  ['(größe, $, _, 加 = 1) => 1', '(größe, $, _, 加=1)'],
  ['(a, b        , c         ) => a', '(a, b, c)'],
  ['(a = class { m(x) { return ")" } }, b) => a', '(a?, b)'],
]

for (const [source, shown] of readable) {
  test(`reads ${source.replaceAll('\n', '⏎')}`, () => assert.equal(show(make(source)), shown))
}

test('what cannot be read with certainty is not read', () => {
  assert.equal(show(Math.max), undefined)
  assert.equal(
    show(
      function f(this: unknown, a: number) {
        return a
      }.bind(null),
    ),
    undefined,
  )
  assert.equal(show(new Proxy((a: number) => a, {})), undefined)
  assert.equal(
    show(
      class {
        constructor(public_: number) {
          void public_
        }
      },
    ),
    undefined,
  )
  assert.equal(show(make('(\\u0061) => 1')), undefined)
})

test('a source that disagrees with the engine is not believed', () => {
  const fn = (a: number, b: number) => a + b
  Object.defineProperty(fn, 'length', { value: 1 })
  assert.equal(show(fn), undefined)
})

test('whatever toString says, reading neither throws nor hangs', () => {
  const original = Function.prototype.toString
  const pieces = fc.constantFrom(
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    ',',
    '=',
    '=>',
    '/',
    '*',
    '`',
    '${',
    '"',
    "'",
    '\\',
    '\n',
    '//',
    '/*',
    '*/',
    'a',
    '...',
    ' ',
    'async ',
    'function ',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (texts) => {
      Function.prototype.toString = () => texts.join('')
      try {
        readParameters(() => 1)
      } finally {
        Function.prototype.toString = original
      }
    }),
    { numRuns: 2000 },
  )
})

test('printed functions are read as they were meant', () => {
  const name = fc.constantFrom('a', 'b', 'value', '$x', '_y', 'größe', 'of', 'async', 'get')
  const value = fc.constantFrom(
    '1',
    "')'",
    '`${"("}`',
    '/[(]/',
    '(x, y) => x',
    '{ p: [1, ")"] }',
    'function (q, r) {}',
    '2 / 1',
    '"//"',
    "'/*'",
  )
  const space = fc.constantFrom('', ' ', '\n', '/* , ) */', '// )\n')
  const parameter = fc.record({ value: fc.option(value), space })
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 5 }),
      fc.array(parameter, { minLength: 5, maxLength: 5 }),
      fc.boolean(),
      fc.constantFrom(
        (list: string) => `(${list}) => 1`,
        (list: string) => `async (${list}) => 1`,
        (list: string) => `function f(${list}) {}`,
        (list: string) => `async function* (${list}) {}`,
        (list: string) => `({ async *['m(']( ${list}) {} })['m(']`,
      ),
      (names, details, rest, print) => {
        const texts = names.map((text, at) => {
          const { value: given, space: around } = details[at]!
          const isRest = rest && at === names.length - 1
          return isRest
            ? `${around}...${text}${around}`
            : `${around}${text}${around}${given === null ? '' : `= ${given}`}${around}`
        })
        const fn = make(print(texts.join(','))) as () => unknown
        const read = readParameters(fn)
        assert.deepEqual(
          read?.map((found) => found.name),
          names,
        )
        assert.equal(read.at(-1)?.rest ?? false, rest && names.length > 0)
        assert.equal(countRequired(read), fn.length)
        for (const [at, found] of read.entries()) {
          if (!found.rest) assert.equal(found.optional, details[at]!.value !== null)
        }
      },
    ),
    { numRuns: 500 },
  )
})
