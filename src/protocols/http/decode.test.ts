import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cutAt, readFixture } from '../json-head/session-rig.suite.ts'
import { HttpDecoder } from './decode.ts'
import { HttpProblem } from './problem.ts'
import { readRequestHead } from './request-head.ts'
import { readResponseHead } from './response-head.ts'

interface Message {
  readonly first: string
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
}

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** The messages in these pieces, or the status of the problem that they end in. */
function read(pieces: readonly Uint8Array[], kind: 'request' | 'response' = 'request'): (Message | number)[] {
  const decoder = new HttpDecoder<any>(kind === 'request' ? readRequestHead : readResponseHead)
  const found: (Message | number)[] = []
  let head: any
  let body = ''
  try {
    for (const piece of pieces) {
      decoder.push(piece)
      for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
        if (event.kind === 'head') head = event.head
        else if (event.kind === 'data')
          body += String.fromCharCode(...event.bytes.subarray(event.start, event.end))
        else {
          const first =
            kind === 'request' ? `${head.method} ${head.target} ${head.version}` : String(head.status)
          found.push({ first, fields: Object.fromEntries(head.fields), body })
          body = ''
        }
      }
    }
  } catch (thrown) {
    assert.ok(thrown instanceof HttpProblem, String(thrown))
    found.push(thrown.status)
  }
  return found
}

const one = (text: string) => read([bytesOf(text)])
const status = (text: string) => one(text).at(-1)

describe('requests, however they are cut', () => {
  const samples: [string, string][] = [
    ['GET / HTTP/1.1\r\nhost: a\r\n\r\n', ''],
    [
      'POST /a/b?c=d HTTP/1.1\r\nHost: a:1\r\nContent-Length: 12\r\nx-y:  two  words\t\r\nEmpty:\r\n\r\n',
      'hello\r\n\r\nyou',
    ],
    [
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n',
      '3\r\nabc\r\n0a\r\n\r\n0123456\r\r\n0\r\nx: y\r\n\r\n',
    ],
    ['POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n', ''],
  ]
  const all = samples.map(([head, body]) => head + body).join('')

  it('are the same', () => {
    const whole = one(all) as Message[]
    assert.deepEqual(
      whole.map(({ first, body }) => [first, body]),
      [
        ['GET / 1.1', ''],
        ['POST /a/b?c=d 1.1', 'hello\r\n\r\nyou'],
        ['POST / 1.1', 'abc\r\n0123456\r'],
        ['POST / 1.0', ''],
      ],
    )
    assert.deepEqual(whole[1]?.fields, {
      host: 'a:1',
      'content-length': '12',
      'x-y': 'two  words',
      empty: '',
    })
  })

  it('one byte at a time, and at every place', () => {
    const whole = one(all)
    assert.deepEqual(read([...bytesOf(all)].map((byte) => Uint8Array.of(byte))), whole)
    for (let at = 0; at <= all.length; at++)
      assert.deepEqual(read([bytesOf(all.slice(0, at)), bytesOf(all.slice(at))]), whole)
  })

  it('at any places', () => {
    const whole = one(all)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
        assert.deepEqual(read(cutAt(bytesOf(all), places)), whole)
      }),
    )
  })

  it('any body, by length or in chunks of any size', () => {
    const latin = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(
        latin,
        fc.array(fc.nat(), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (body, sizes, places) => {
          const text = String.fromCharCode(...body)
          const chunks = cutAt(body, sizes).map(
            (chunk) => `${chunk.length.toString(16)}\r\n${String.fromCharCode(...chunk)}\r\n`,
          )
          const chunked = `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`
          const plain = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${text}`
          const found = read(cutAt(bytesOf(chunked + plain), places)) as Message[]
          assert.deepEqual(
            found.map((message) => message.body),
            [text, text],
          )
        },
      ),
    )
  })

  it('hostile bytes come to an end in time, and to nothing but a problem', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.constantFrom(...samples), (noise, [head, body]) => {
        read([noise])
        read([bytesOf(head), noise, bytesOf(body)])
        read([noise], 'response')
      }),
    )
  })
})

describe('what two programs could understand differently is refused', () => {
  const post = 'POST / HTTP/1.1\r\nhost: a\r\n'
  const rows: [name: string, text: string, status: number][] = [
    ['both length fields', `${post}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['the same the other way round', `${post}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n`, 400],
    ['two lengths that differ', `${post}content-length: 5\r\ncontent-length: 6\r\n\r\n`, 400],
    ['two lengths that agree', `${post}content-length: 5\r\ncontent-length: 5\r\n\r\n`, 400],
    ['a list of lengths', `${post}content-length: 5, 5\r\n\r\n`, 400],
    ['a signed length', `${post}content-length: +5\r\n\r\n`, 400],
    ['a negative length', `${post}content-length: -1\r\n\r\n`, 400],
    ['a hexadecimal length', `${post}content-length: 0x5\r\n\r\n`, 400],
    ['an empty length', `${post}content-length:\r\n\r\n`, 400],
    ['a length beyond all numbers', `${post}content-length: 99999999999999999999\r\n\r\n`, 400],
    ['chunked twice', `${post}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`, 400],
    ['another coding', `${post}transfer-encoding: gzip, chunked\r\n\r\n`, 501],
    ['a coding that only looks like chunked', `${post}transfer-encoding: xchunked\r\n\r\n`, 501],
    ['chunked with a vertical tab', `${post}transfer-encoding: \u000bchunked\r\n\r\n`, 400],
    ['chunked in HTTP/1.0', 'POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n', 400],
    ['a space before the colon', `${post}content-length : 5\r\n\r\n`, 400],
    ['a field that goes on', `${post}x: a\r\n b\r\n\r\n`, 400],
    ['a first field that goes on', 'GET / HTTP/1.1\r\n host: a\r\n\r\n', 400],
    ['a bare LF at the end of a field', `${post}x: a\ny: b\r\n\r\n`, 400],
    ['a bare LF at the end of the head', `${post}\n`, 400],
    ['a bare CR in a field', `${post}x: a\rb\r\n\r\n`, 400],
    ['a NUL in a field', `${post}x: a\u0000b\r\n\r\n`, 400],
    ['a field without a colon', `${post}x\r\n\r\n`, 400],
    ['a field without a name', `${post}: x\r\n\r\n`, 400],
    ['a name with a space', `${post}x y: z\r\n\r\n`, 400],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two content types', `${post}content-type: application/json\r\ncontent-type: text/plain\r\n\r\n`, 400],
    ['a chunk extension', `${post}transfer-encoding: chunked\r\n\r\n5;x=y\r\nabcde\r\n0\r\n\r\n`, 400],
    ['a chunk without a size', `${post}transfer-encoding: chunked\r\n\r\n\r\n`, 400],
    ['a negative chunk', `${post}transfer-encoding: chunked\r\n\r\n-1\r\n`, 400],
    ['a chunk of 2^32', `${post}transfer-encoding: chunked\r\n\r\n100000000\r\n`, 400],
    ['a chunk longer than its size', `${post}transfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n`, 400],
    ['a chunk that ends in LF', `${post}transfer-encoding: chunked\r\n\r\n2\r\nab\n0\r\n\r\n`, 400],
    ['a chunk size that ends in LF', `${post}transfer-encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n`, 400],
    ['two spaces in the request line', 'GET  / HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['a tab in the request line', 'GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    ['no version', 'GET /\r\nhost: a\r\n\r\n', 400],
    ['a version in lower case', 'GET / http/1.1\r\nhost: a\r\n\r\n', 400],
    ['HTTP/2.0', 'GET / HTTP/2.0\r\nhost: a\r\n\r\n', 505],
    ['an unknown method', 'BREW / HTTP/1.1\r\nhost: a\r\n\r\n', 501],
    ['another expectation', `${post}expect: tea\r\n\r\n`, 417],
    ['two empty lines before', `\r\n\r\n${post}\r\n`, 400],
  ]
  for (const [name, text, expected] of rows) {
    it(`${name}: ${expected}`, () => {
      assert.equal(status(text), expected)
      assert.equal(read([...bytesOf(text)].map((byte) => Uint8Array.of(byte))).at(-1), expected)
    })
  }

  it('one empty line before a request is old custom', () => {
    assert.equal((status('\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n') as Message).first, 'GET / 1.1')
  })
})

describe('limits', () => {
  const get = 'GET / HTTP/1.1\r\nhost: a\r\n'
  const rows: [name: string, text: string, status: number][] = [
    ['a request line of 20 KiB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n`, 414],
    ['a request line without an end', `GET /${'x'.repeat(20_000)}`, 414],
    ['a field of 20 KiB', `${get}x: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['a field without an end', `${get}x: ${'y'.repeat(20_000)}`, 431],
    [
      'fields of 20 KiB together',
      `${get}${'x: 1234567890\r\n'.repeat(99)}${`y: ${'z'.repeat(15_000)}`}\r\n\r\n`,
      431,
    ],
    ['101 fields', `${get}${'x: y\r\n'.repeat(100)}\r\n`, 431],
    [
      'endless trailers',
      `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'x: y\r\n'.repeat(101)}\r\n`,
      431,
    ],
  ]
  for (const [name, text, expected] of rows)
    it(`${name}: ${expected}`, () => assert.equal(status(text), expected))

  it('100 fields of 16 KiB in all are read', () => {
    assert.equal((status(`${get}${'x: y\r\n'.repeat(99)}\r\n`) as Message).first, 'GET / 1.1')
  })

  it('a million one-byte chunks cost time in proportion', () => {
    const text = `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`
    const start = performance.now()
    assert.equal((status(text) as Message).body.length, 100_000)
    assert.ok(performance.now() - start < 2_000)
  })
})

describe('responses', () => {
  it('are framed by length, by chunks, by nothing, and by the end of the connection', () => {
    const text =
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab' +
      'HTTP/1.1 204\r\n\r\n' +
      'HTTP/1.1 100 Continue\r\n\r\n' +
      'HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n'
    const found = read(
      [...bytesOf(text)].map((byte) => Uint8Array.of(byte)),
      'response',
    ) as Message[]
    assert.deepEqual(
      found.map(({ first, body }) => [first, body]),
      [
        ['200', 'ab'],
        ['204', ''],
        ['100', ''],
        ['500', 'c'],
      ],
    )
    const decoder = new HttpDecoder(readResponseHead)
    decoder.push(bytesOf('HTTP/1.0 200 OK\r\n\r\nthe rest'))
    assert.equal(decoder.next()?.kind, 'head')
    assert.equal(decoder.next()?.kind, 'data')
    assert.equal(decoder.next(), undefined)
    assert.equal(decoder.finish(), true)
    assert.equal(decoder.next()?.kind, 'end')
  })

  it('of another kind are refused', () => {
    for (const first of ['HTTP/2 200', 'HTTP/1.1 20 OK', 'SSH-2.0-x', 'HTTP/1.1 999 x'])
      assert.equal(read([bytesOf(`${first}\r\n\r\n`)], 'response').at(-1), 400)
  })
})

describe('what real clients send', () => {
  const folder = import.meta.dirname
  const files = readdirSync(join(folder, 'fixtures')).filter((file) => file.endsWith('.client.bin'))
  for (const file of files) {
    it(file, () => {
      const bytes = readFixture(folder, file)
      const [message] = read([bytes]) as Message[]
      const isGet = file.startsWith('go-get')
      assert.equal(
        message?.first,
        `${isGet ? 'GET /healthz' : 'POST /math/add'} ${file === 'curl-http10.client.bin' ? '1.0' : '1.1'}`,
      )
      assert.equal(message?.body, isGet ? '' : file === 'curl-http10.client.bin' ? '{"a":1,"b":2}' : '[1,2]')
      assert.deepEqual(read([...bytes].map((byte) => Uint8Array.of(byte))), [message])
    })
  }
})
