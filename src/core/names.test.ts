import assert from 'node:assert/strict'
import test from 'node:test'
import {
  checkInternalName,
  checkMethodName,
  checkServiceName,
  isReservedName,
  listNames,
  showName,
} from './names.ts'

const refused: readonly [name: string, why: RegExp][] = [
  ['', /empty/],
  ['$with', /belong to Farcall/],
  ['$', /belong to Farcall/],
  ['then', /the language uses it/],
  ['toJSON', /the language uses it/],
  ['constructor', /the language uses it/],
  ['prototype', /the language uses it/],
  ['__proto__', /the language uses it/],
  ['toString', /the language uses it/],
  ['hasOwnProperty', /the language uses it/],
  ['a.b', /dot separates/],
  ['.', /dot separates/],
  ['a b', /begin with a letter/],
  ['1st', /begin with a letter/],
  ['-a', /begin with a letter/],
  ['a\nb', /begin with a letter/],
  ['a\u0000', /begin with a letter/],
  ['a/b', /begin with a letter/],
  ['\ud800', /begin with a letter/],
  ['x'.repeat(129), /longer than 128/],
]

for (const [name, why] of refused) {
  test(`a service or method cannot be called ${JSON.stringify(name.slice(0, 20))}`, () => {
    const expected = { name: 'RpcError', code: 'invalid_argument', message: why }
    assert.throws(() => checkServiceName(name), expected)
    assert.throws(() => checkMethodName('s', name), expected)
  })
}

test('ordinary names pass, in any script', () => {
  for (const name of [
    'add',
    'Add',
    '_private',
    'a1',
    'get-user',
    'a$b',
    'größe',
    '加',
    'catch',
    'finally',
    'call',
    'name',
    'x'.repeat(128),
  ]) {
    checkServiceName(name)
    checkMethodName('s', name)
    assert.equal(isReservedName(name), false)
  }
})

test('the prefix of our own services is kept', () => {
  assert.throws(() => checkServiceName('farcall.registry'), {
    code: 'invalid_argument',
    message: /Farcall's own/,
  })
  checkInternalName('farcall.registry')
  checkInternalName('farcall.registry.lab')
  assert.throws(() => checkInternalName('registry'), { message: /should begin with 'farcall.'/ })
  assert.throws(() => checkInternalName('farcall.'), { message: /empty/ })
  assert.throws(() => checkInternalName('farcall.a..b'), { message: /empty/ })
  assert.throws(() => checkServiceName('a.b'), { message: /dot/ })
})

test('a name that a peer made up is shown bounded and on one line', () => {
  assert.equal(showName('add'), "'add'")
  assert.equal(showName('a\nb\u007f'), "'a\\nb\\u007f'")
  assert.equal(showName('say "hi"'), `'say "hi"'`)
  assert.ok(showName('x'.repeat(5_000_000)).length < 70)
  assert.equal(listNames(['a', 'b', 'c'], 2), 'a, b and 1 more')
})
