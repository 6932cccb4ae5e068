import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../core/error.ts'
import { readJson } from './read-json.ts'
import { JsonSplitter } from './splitter.ts'

const encode = (text: string) => new TextEncoder().encode(text)

/** What comes out of a splitter that is fed these chunks: values, or the codes of problems. */
function split(chunks: readonly Uint8Array[], options = {}): unknown[] {
  const out: unknown[] = []
  const bounds = { maxBytes: 10_000, maxDepth: 100, lists: true, ...options }
  const splitter = new JsonSplitter(bounds, (bytes, range, problem) => {
    out.push(problem === undefined ? readJson(bytes, range, 'python') : problem.code)
  })
  // Borrowed bytes change once they were handed over: nothing may refer to them.
  for (const chunk of chunks) {
    const borrowed = chunk.slice()
    splitter.push(borrowed)
    borrowed.fill(0x21)
  }
  if (splitter.partial) out.push('partial')
  return out
}

const show = (value: unknown) =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? Number(part) : part))

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((n) => n % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

describe('json-head: cutting a stream into messages', () => {
  it('finds the same messages however they are cut', () => {
    const message = fc.oneof(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
      fc.array(fc.jsonValue()),
    )
    const space = fc.stringMatching(/^[ \n\r\t]*$/)
    const stream = fc.array(fc.tuple(message, space, fc.boolean()), { maxLength: 6 })
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (parts, cuts) => {
        const texts = parts.map(([value, gap, pretty]) => JSON.stringify(value, null, pretty ? 2 : 0) + gap)
        const values = parts.map(([value]) => JSON.parse(JSON.stringify(value)) as unknown)
        const found = split(cut(encode(texts.join('')), cuts), { maxBytes: 1e6 })
        // Through text: integers beyond 2^53 are read as bigints.
        assert.equal(show(found), show(values))
      }),
      { numRuns: 100 },
    )
  })

  it('one byte per packet costs no more than its share', () => {
    const bytes = encode(`{"a":"${'x'.repeat(1_000_000)}"}`)
    const splitter = new JsonSplitter({ maxBytes: 2e6, maxDepth: 9, lists: false }, () => {})
    const start = performance.now()
    for (let i = 0; i < bytes.length; i++) splitter.push(bytes.subarray(i, i + 1))
    assert.ok(!splitter.partial)
    assert.ok(performance.now() - start < 2000)
  })

  it('goes on after a message that is too large or too deep', () => {
    const sent = `{"a":"${'x'.repeat(200)}"}${'['.repeat(9)}${']'.repeat(9)}[1]`
    const whole = split([encode(sent)], { maxBytes: 100, maxDepth: 5 })
    assert.deepEqual(whole, ['resource_exhausted', 'resource_exhausted', [1]])
    const pieces = cut(
      encode(sent),
      Array.from({ length: sent.length }, (_, i) => i),
    )
    assert.deepEqual(split(pieces, { maxBytes: 100, maxDepth: 5 }), whole)
  })

  it('hands over the beginning of what it refuses', () => {
    let head = ''
    const splitter = new JsonSplitter({ maxBytes: 50, maxDepth: 9, lists: true }, (bytes, { start, end }) => {
      head = new TextDecoder().decode(bytes.subarray(start, end))
    })
    for (const byte of encode(`{"id":7,"x":"${'x'.repeat(90)}"}`)) splitter.push(Uint8Array.of(byte))
    assert.ok(head.startsWith('{"id":7,'), head)
  })

  it('stops at what it cannot tell apart any more', () => {
    const refuse = (text: string, code: string, options = {}) =>
      assert.throws(
        () => split([encode(text)], options),
        (error: unknown) => RpcError.is(error) && error.code === code,
      )
    refuse('{}x', 'invalid_argument')
    refuse('1', 'invalid_argument')
    refuse('[1]', 'invalid_argument', { lists: false })
    refuse('{"a\u0001":1}', 'invalid_argument')
    refuse('\ufeff{}', 'invalid_argument')
    refuse(`{"a":"${'x'.repeat(500)}`, 'resource_exhausted', { maxBytes: 100 })
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        try {
          split(chunks)
        } catch (error) {
          assert.ok(RpcError.is(error), String(error))
        }
      }),
      { numRuns: 300 },
    )
  })
})
