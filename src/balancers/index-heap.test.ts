import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { IndexHeap } from './index-heap.ts'

describe('IndexHeap', () => {
  it('gives the least first, and of equals the least number, however it was filled', () => {
    const keys = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(keys, fc.infiniteStream(fc.boolean()), (given, coins) => {
        const heap = new IndexHeap(Float64Array.from(given))
        const inside: number[] = []
        const waiting = [...given.keys()]
        while (waiting.length + inside.length > 0) {
          const push = waiting.length > 0 && (inside.length === 0 || coins.next().value)
          if (push) {
            const item = waiting.pop() as number
            heap.push(item)
            inside.push(item)
            inside.sort((a, b) => (given[a] as number) - (given[b] as number) || a - b)
          } else {
            assert.equal(heap.leastKey, given[inside[0] as number])
            assert.equal(heap.pop(), inside.shift())
          }
          assert.equal(heap.size, inside.length)
        }
        assert.equal(heap.leastKey, Number.POSITIVE_INFINITY)
      }),
    )
  })
})
