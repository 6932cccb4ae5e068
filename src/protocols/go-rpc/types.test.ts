import assert from 'node:assert/strict'
import { it } from 'node:test'
import { gob } from '../../codecs/gob/index.ts'
import { method } from '../../core/method.ts'
import { service } from '../../core/service.ts'
import { showGoTypes } from './types.ts'

it('shows the Go types of a method, as far as they are declared', () => {
  const args = gob.struct('Args', { a: gob.field('Num1', gob.int) })
  const foo = service('Foo', {
    both: method({ types: { args, reply: gob.int } }, (given: { a: number }) => given.a),
    one: method({ types: { reply: gob.int } }, () => 1),
    strange: method({ types: 'other' }, () => 1),
    none: () => 1,
  })
  const shown = [...foo.methods.values()].map(({ info }) => showGoTypes(info))
  assert.deepEqual(shown, [{ args: 'Args{Num1 int}', reply: 'int' }, { reply: 'int' }, undefined, undefined])
})
