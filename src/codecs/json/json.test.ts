import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { runInThisContext } from 'node:vm'
import { defaultLimits } from '../../core/limits.ts'
import { codecSuite } from '../codec.suite.ts'
import { assertRpcError, codecPair, comparable } from '../values.suite.ts'
import { jsonCodec } from './json.ts'

codecSuite(jsonCodec)

const decode = (text: string) => {
  const bytes = new TextEncoder().encode(text)
  return jsonCodec.open(defaultLimits).decode(bytes, 0, bytes.length)
}

describe('json: SPEC.md', () => {
  const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8')
  const rows = [...spec.slice(spec.indexOf('## Examples')).matchAll(/^\| `(.+?)` +\| `(.+?)` +\|$/gm)]
  it('has examples', () => assert.ok(rows.length >= 15, String(rows.length)))
  for (const [, source, text] of rows) {
    it(`is right about ${source}`, () => {
      const value: unknown = runInThisContext(`(${source})`)
      assert.equal(new TextDecoder().decode(codecPair(jsonCodec).encode(value)), text)
      assert.deepStrictEqual(comparable(decode(text ?? '')), comparable(value))
    })
  }
})

describe('json: what others send', () => {
  it('takes space, escapes and other orders', () => {
    assert.deepStrictEqual(decode(' { "a" : [ {"\\u0024date": "1970-01-01T00:00:01Z"} ] } '), {
      a: [new Date(1000)],
    })
    assert.deepStrictEqual(decode('{"$date":1,"b":2}'), { $date: 1, b: 2 })
    assert.equal(decode('{"$bigint":"-0xff"}'), -255n)
  })

  const wrong: [text: string, code: string, message: RegExp][] = [
    ['', 'invalid_argument', /no valid JSON/],
    ['nul', 'invalid_argument', /no valid JSON/],
    ['1 2', 'invalid_argument', /no valid JSON/],
    ['{"$what":1}', 'invalid_argument', /tag "\$what" is not known/],
    ['{"$date":"yesterday"}', 'invalid_argument', /\$date/],
    ['{"$date":"2026-13-01T00:00:00Z"}', 'invalid_argument', /\$date/],
    ['{"$date":5}', 'invalid_argument', /\$date/],
    ['{"$bytes":"?"}', 'invalid_argument', /\$bytes/],
    ['{"$bytes":[1]}', 'invalid_argument', /\$bytes/],
    ['{"$bigint":"1.5"}', 'invalid_argument', /\$bigint/],
    ['{"$bigint":""}', 'invalid_argument', /\$bigint/],
    ['{"$bigint":7}', 'invalid_argument', /\$bigint/],
    [`{"$bigint":"${'9'.repeat(401)}"}`, 'invalid_argument', /\$bigint/],
    ['{"$number":"1"}', 'invalid_argument', /\$number/],
    ['{"$undefined":false}', 'invalid_argument', /\$undefined/],
    ['{"$map":[[1]]}', 'invalid_argument', /\$map/],
    ['{"$map":{}}', 'invalid_argument', /\$map/],
    ['{"$set":1}', 'invalid_argument', /\$set/],
    ['{"$error":[]}', 'invalid_argument', /\$error/],
    ['{"$error":{"message":1}}', 'invalid_argument', /message of an error/],
    ['{"$object":3}', 'invalid_argument', /\$object/],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'resource_exhausted', /deeper than 64/],
    [`{"a":${'{"$set":['.repeat(64)}1${']}'.repeat(64)}}`, 'resource_exhausted', /deeper/],
  ]
  for (const [text, code, message] of wrong) {
    it(`refuses ${text.slice(0, 40)}`, () => assertRpcError(() => decode(text), new RegExp(code), message))
  }

  it('refuses ill-formed UTF-8', () => {
    const bytes = Uint8Array.of(0x22, 0xc3, 0x28, 0x22)
    assertRpcError(() => jsonCodec.open(defaultLimits).decode(bytes, 0, 4), 'invalid_argument', /UTF-8/)
  })

  it('refuses nesting of a million at no cost', () => {
    for (const text of [
      '['.repeat(1_000_000),
      '{"a":'.repeat(800_000),
      '[{"$map":[['.repeat(300_000),
      '"\\'.repeat(1_000_000),
    ]) {
      const start = performance.now()
      assertRpcError(() => decode(text), /resource_exhausted|invalid_argument/)
      assert.ok(performance.now() - start < 50)
    }
  })
})
