import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { maxHeadBytes } from '../../core/detect.ts'
import { detectJsonKey, scanJsonHead } from './keys.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const scan = (text: string) => {
  const found = scanJsonHead(bytes(text))
  return found.kind === 'marked' ? `${found.key}${found.batch ? '[]' : ''}` : found.kind
}

describe('json-head: which mark comes first', () => {
  const rows: [text: string, answer: string][] = [
    ['', 'more'],
    ['  \r\n\t', 'more'],
    ['{', 'more'],
    ['{"method', 'more'],
    ['{"method"', 'method'],
    ['{"method_name', 'more'],
    ['{"method_name"', 'method_name'],
    ['{"method_name": "add", "method": 1}', 'method_name'],
    ['{"method": "add", "method_name": 1}', 'method'],
    ['{"id":1,"jsonrpc":"2.0","method":"a.b"}', 'method'],
    ['{"method_args": {"method": 1, "x": [{"method": 1}]}, "method_name": "f"}', 'method_name'],
    ['{"params": ["}", "\\"}", {"method_name": 1}], "method": "f"}', 'method'],
    ['{"params": [1, NaN, -Infinity, 1e9, true], "method": "f"}', 'method'],
    ['{"MagicNumber":3927900', 'MagicNumber'],
    ['{"CodecType":"application/gob","magicnumber":3927900}', 'MagicNumber'],
    ['{"Method":"f"}', 'none'],
    ['{"\\u006dethod":"f"}', 'method'],
    ['{"\\u006Det\\u0068od_name"', 'method_name'],
    ['{"schlüssel":1,"method":2}', 'method'],
    ['{"a":"ü\\u00fc","method":2}', 'method'],
    ['[{"jsonrpc":"2.0","method":"f"}]', 'method[]'],
    ['[1, [2], {"foo":"boo"}, {"method":"f"}]', 'method[]'],
    ['[{"method_name":"f"}]', 'method_name[]'],
    ['[', 'more'],
    ['[{}', 'more'],
    ['[]', 'none'],
    ['[1,2]', 'none'],
    ['[{}]', 'none'],
    ['{}', 'none'],
    ['{"a":1}', 'none'],
    ['{"a":1}{"method":1}', 'none'],
    ['{a:1}', 'none'],
    ['{"a"1}', 'none'],
    ['{"a":,}', 'none'],
    ['{"a":1;"method":1}', 'none'],
    ['{"a":\u0000', 'none'],
    ['{"a\n":1', 'none'],
    ['{"__proto__":{},"method":1}', 'method'],
    ['{"constructor":1,"toString":2}', 'none'],
    ['"method"', 'none'],
    ['GET / HTTP/1.1', 'none'],
    ['\u0000FARCALL', 'none'],
    ['\ufeff{"method":1}', 'none'],
    ['x', 'none'],
  ]
  for (const [text, answer] of rows) {
    it(`${JSON.stringify(text.slice(0, 60))}: ${answer}`, () => assert.equal(scan(text), answer))
  }

  it('gives up at 4 KiB', () => {
    const long = `{"method_args": ["${'x'.repeat(maxHeadBytes)}"], "method_name": "f"}`
    assert.equal(scan(long), 'none')
    assert.equal(scan(long.slice(0, maxHeadBytes - 1)), 'more')
    assert.equal(scan(`{"method_name":"f","method_args":["${'x'.repeat(maxHeadBytes)}`), 'method_name')
    assert.equal(scan('['.repeat(maxHeadBytes - 1)), 'more')
    assert.equal(scan('['.repeat(1_000_000)), 'none')
  })

  it('never says anything else once it has decided', () => {
    for (const [text] of rows) {
      const all = bytes(text)
      let decided: unknown
      for (let length = 0; length <= all.length; length++) {
        const found = scanJsonHead(all.subarray(0, length))
        if (decided !== undefined) assert.deepEqual(found, decided, text)
        else if (found.kind !== 'more') decided = found
      }
    }
  })
})

describe('json-head: a detector of a key', () => {
  it('takes arrays only where they belong to the dialect', () => {
    assert.equal(detectJsonKey('method', { batch: true })(bytes('[{"method":1}]')), 'yes')
    assert.equal(detectJsonKey('method')(bytes('[{"method":1}]')), 'no')
    assert.equal(detectJsonKey('method_name')(bytes('{"method":1}')), 'no')
    assert.equal(detectJsonKey('method_name')(bytes('{"meth')), 'more')
  })
})
