import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEndpoint } from './endpoint.ts'
import { RpcError } from './error.ts'
import { parseListedEndpoint } from './listed-endpoint.ts'

test('an endpoint may have a weight behind it', () => {
  for (const text of ['tcp://a:1', 'geerpc+tcp://[::1]:9', 'unix:/run/a.sock', 'memory:a']) {
    assert.deepEqual(parseListedEndpoint(text), parseEndpoint(text))
    assert.deepEqual(parseListedEndpoint(`${text}?weight=2.5`), { ...parseEndpoint(text), weight: 2.5 })
    assert.deepEqual(parseListedEndpoint(`${text}?weight=0`), { ...parseEndpoint(text), weight: 0 })
  }
})

test('what is no weight is an error that shows how one is written', () => {
  for (const [text, message] of [
    ['tcp://a:1?weight=', /\?weight=3/],
    ['tcp://a:1?weight=-1', /\?weight=3/],
    ['tcp://a:1?weight=heavy', /\?weight=3/],
    ['tcp://a:1?weight=1e3', /\?weight=3/],
    ['tcp://a:1?weight=1000001', /from 0 to 1000000, got 1000001/],
    ['tcp://a:1?wieght=1', /host:port/],
    ['tcp://a?weight=1', /port is missing/],
  ] as const) {
    assert.throws(
      () => parseListedEndpoint(text),
      (error) => RpcError.is(error) && error.code === 'invalid_argument' && message.test(error.message),
      text,
    )
  }
})
