import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decode, messageOf } from './testing.suite.ts'

const type = await messageOf(
  'message M { M m = 1; string s = 2; repeated M list = 3; map<string, M> map = 4; fixed64 f = 5; bytes b = 6; int32 i = 7; }',
)

/** A message `depth` deep. */
function nested(depth: number, tag = 0x0a): Uint8Array {
  let bytes = new Uint8Array(0)
  for (let i = 0; i < depth; i++) {
    const { length } = bytes
    const head = length < 128 ? [tag, length] : [tag, (length & 0x7f) | 0x80, length >> 7]
    bytes = new Uint8Array([...head, ...bytes])
  }
  return bytes
}

describe('protobuf: hostile bytes', () => {
  const table: [name: string, bytes: string | Uint8Array, message: RegExp, code?: string][] = [
    ['a length beyond the end', '1205 61', /at \$\.s ends in the middle/],
    ['a length of 2^32', '12 8080808010', /ends in the middle/],
    ['a length of 2^63', '12 ffffffffffffffff7f', /ends in the middle/],
    [
      'a message that reaches beyond the one around it',
      '0a03 0a05 08010801',
      /at \$\.m\.m ends in the middle/,
    ],
    ['eight bytes that are seven', '29 01020304050607', /at \$\.f ends in the middle/],
    ['a varint without an end', '38 ffffff', /at \$\.i ends in the middle/],
    ['a varint of eleven bytes', '38 8080808080808080808001', /more than ten bytes/],
    ['field 0', '0001', /field number that is none/],
    ['a field beyond 2^29', '808080808001', /field number that is none/],
    ['kind 6', '3e', /kind that protobuf does not have/],
    ['the end of a group that did not begin', '3c', /kind that protobuf does not have/],
    ['a group without an end', '3b 3801', /ends in the middle/],
    ['a group that ends as another', '3b 44', /ends as another/],
    ['text that is no UTF-8', '1201 ff', /at \$\.s .*UTF-8/],
    ['65 levels', nested(65), /deeper than 64 levels/, 'resource_exhausted'],
    ['65 levels of lists', nested(65, 0x1a), /deeper than 64 levels/, 'resource_exhausted'],
    ['1,000 groups', '3b'.repeat(1000), /deeper than 64 levels/, 'resource_exhausted'],
  ]
  for (const [name, bytes, message, code = 'invalid_argument'] of table) {
    it(name, () => assert.throws(() => decode(type, bytes), { code, message }))
  }

  it('63 levels are read', () => {
    let message: unknown = decode(type, nested(63))
    let depth = 0
    for (; message !== undefined; depth++) message = (message as { m?: unknown }).m
    assert.equal(depth, 64)
  })

  it('a million empty messages cost no more than is allowed', () => {
    const bomb = new Uint8Array(2_000_000)
    for (let i = 0; i < bomb.length; i += 2) bomb[i] = 0x1a
    const start = performance.now()
    assert.throws(() => decode(type, bomb), { code: 'resource_exhausted', message: /maxOmittedFields/ })
    assert.ok(performance.now() - start < 2000)
    assert.throws(() => decode(type, '2200'.repeat(20), { maxOmittedFields: 100 }), {
      message: /maxOmittedFields/,
    })
  })

  it('more than maxMessageBytes is not looked at', () => {
    assert.throws(() => decode(type, new Uint8Array(101), { maxMessageBytes: 100 }), {
      code: 'resource_exhausted',
      message: /101 bytes, at most 100/,
    })
  })

  it('keys of maps are keys and nothing else', () => {
    const read = decode(type, '220b 0a095f5f70726f746f5f5f 2200 220d 0a0b636f6e7374727563746f72')
    const map = read['map'] as Map<string, unknown>
    assert.deepEqual([...map.keys()], ['__proto__', '', 'constructor'])
    assert.equal(Object.getPrototypeOf(read), Object.prototype)
    assert.equal(({} as { m?: unknown }).m, undefined)
  })

  it('works where code must not be made from texts', () => {
    const program = `
      import { readProto, decodeMessage, encodeMessage } from './index.ts'
      import { MemoryOutput } from '../../core/bytes/output.ts'
      const { messages } = await readProto(['syntax = "proto3"; message M { int32 a = 1; }'])
      const limits = { maxMessageBytes: 100, maxDepth: 5 }
      const output = new MemoryOutput()
      encodeMessage(messages.get('M'), { a: -1 }, output, limits)
      console.log(JSON.stringify(decodeMessage(messages.get('M'), output.take(), limits)))`
    const flags = [
      '--disallow-code-generation-from-strings',
      '--conditions=@farcall/source',
      '--input-type=module',
    ]
    const output = execFileSync(process.execPath, [...flags, '--eval', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      encoding: 'utf8',
    })
    assert.equal(output.trim(), '{"a":-1}')
  })
})
