import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CallTable } from './call-table.ts'

test('does what a map of ids does, whichever calls live long', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 5, arbitrary: fc.record({ end: fc.nat(1_000_000) }) },
    { weight: 1, arbitrary: fc.record({ endNewest: fc.integer({ min: 1, max: 60 }) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new CallTable<{ id: number }>()
      const model = new Map<number, { id: number }>()
      let next = 1
      const end = (id: number | undefined) => {
        if (id === undefined) return
        assert.equal(table.get(id), model.get(id))
        assert.equal(table.delete(id), model.delete(id))
        assert.equal(table.delete(id), false)
      }
      for (const one of steps) {
        if ('add' in one) {
          for (let i = 0; i < one.add; i++) {
            const call = { id: next }
            next += i % 7 === 6 ? 5 : 1
            table.add(call)
            model.set(call.id, call)
          }
        } else if ('end' in one) end([...model.keys()][one.end % Math.max(1, model.size)])
        else for (const id of [...model.keys()].slice(-one.endNewest)) end(id)
        assert.equal(table.size, model.size)
        assert.deepEqual(table.all(), [...model.values()])
        assert.equal(table.has(next), false)
      }
      for (const [id, call] of model) assert.equal(table.get(id), call)
    }),
  )
})
