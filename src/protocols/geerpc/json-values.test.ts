import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { JsonValues } from './json-values.ts'

/** All values of a stream that comes in these pieces, as text. */
function cut(pieces: readonly Uint8Array[], maxBytes = 1e6): string[] {
  const values = new JsonValues({ maxBytes, maxDepth: 64 })
  const found: string[] = []
  const take = () => {
    for (let range = values.next(); range !== undefined; range = values.next()) {
      assert.equal(range.problem, undefined)
      found.push(new TextDecoder().decode(values.bytes.subarray(range.start, range.end)))
    }
  }
  for (const piece of pieces) {
    values.push(piece)
    take()
  }
  values.finish()
  take()
  assert.equal(values.partial, false)
  return found
}

describe('JSON values of any kind, cut from a stream', () => {
  it('are the same however they are divided into pieces', () => {
    const space = fc.constantFrom(' ', '\n', '\r\n', '\t ')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.jsonValue(), space), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (parts, cuts) => {
          const texts = parts.map(([value]) => JSON.stringify(value))
          const bytes = new TextEncoder().encode(texts.map((text, i) => text + parts[i]?.[1]).join(''))
          const at = [0, ...cuts.map((n) => n % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
          const pieces = at.slice(1).map((end, i) => bytes.slice(at[i], end))
          assert.deepEqual(cut(pieces), texts)
        },
      ),
    )
  })

  it('need nothing between them where one can be told from the next', () => {
    const text = '{"a":"}"}[1]"x\\""5{"b":2}null[]'
    assert.deepEqual(cut([new TextEncoder().encode(text)]), [
      '{"a":"}"}',
      '[1]',
      '"x\\""',
      '5',
      '{"b":2}',
      'null',
      '[]',
    ])
  })

  it('break off at what begins no value, and where one is too large, and stay broken', () => {
    for (const text of [',', '}', '\u0000', `"${'x'.repeat(200)}`, '1'.repeat(200)]) {
      const values = new JsonValues({ maxBytes: 100, maxDepth: 4 })
      values.push(new TextEncoder().encode(text))
      assert.throws(() => values.next())
      values.push(new TextEncoder().encode('{}'))
      assert.throws(() => values.next())
      assert.equal(values.bytes.length, 0, 'nothing is kept')
    }
  })
})
