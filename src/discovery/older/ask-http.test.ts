import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from '../../core/log.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import type { Fetch } from '../source.ts'
import { openHttp } from './ask-http.ts'
import { maxBodyBytes } from './read-body.ts'
import { parseOlderTarget } from './target.ts'

const never = new AbortController().signal
const get = { method: 'GET', path: '/list' } as const

function setUp(fetch: Fetch, hosts = 'a:1') {
  const clock = createVirtualClock()
  const target = parseOlderTarget(`x://${hosts}`, { example: 'x', hasPath: true, options: [] })
  const reach = () => assert.fail('not over HTTP')
  const line = openHttp(target, { clock, random: () => 0, logger: silentLogger, reach, fetch })
  return { clock, line }
}

const refused = () => {
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 1.2.3.4:1') })
}

describe('asking an older registry over HTTP', () => {
  it('gives the answer, and says where it came from', async () => {
    const seen: unknown[] = []
    const { line, clock } = setUp(async (url, init) => {
      seen.push([url, init?.method, init?.body, init?.redirect])
      return new Response('körper', { headers: { 'X-A': '1' } })
    })
    const answer = await line.ask({ method: 'POST', path: '/p?q', body: '{}' }, never)
    assert.deepEqual(
      [answer.body, answer.header('x-a'), answer.from],
      ['körper', '1', { host: 'a', port: 1 }],
    )
    assert.deepEqual(seen, [['http://a:1/p?q', 'POST', '{}', 'manual']])
    assert.equal(clock.timers, 0)
  })

  it('what went wrong is said, whatever it was', async () => {
    for (const [answer, code, message] of [
      [refused, 'unavailable', 'GET http://a:1/list: connect ECONNREFUSED 1.2.3.4:1'],
      [
        () => {
          const causes = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
          throw new TypeError('fetch failed', { cause: causes })
        },
        'unavailable',
        'GET http://a:1/list: ECONNREFUSED',
      ],
      [
        () => new Response('{"error":\n "Not Found"}', { status: 404 }),
        'unimplemented',
        'GET http://a:1/list was answered with 404: {"error":\\n "Not Found"}',
      ],
      [() => new Response(null, { status: 500 }), 'unavailable', /was answered with 500$/],
      [() => new Response('no', { status: 403 }), 'permission_denied', /403: no/],
      [
        () => new Response(null, { status: 302, headers: { location: 'http://b/' } }),
        'unimplemented',
        /302: redirects are not followed/,
      ],
      [() => new Response(null, { status: 204 }), 'unavailable', /204$/],
    ] as [() => Response, string, string | RegExp][]) {
      const { line } = setUp(async () => answer())
      await assert.rejects(line.ask(get, never), { code, message })
    }
  })

  it('is given up after 2 s, also where fetch knows no signal and where a body never ends', async () => {
    const endless = new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(10)) })
    for (const fetch of [() => new Promise<Response>(() => {}), async () => new Response(endless)]) {
      const { line, clock } = setUp(fetch)
      const late = assert.rejects(line.ask(get, never), {
        code: 'deadline_exceeded',
        message: /was not answered within 2000 ms/,
      })
      await clock.advance(2_000)
      await late
    }
  })

  it('is given up when nobody waits any longer', async () => {
    const stop = new AbortController()
    const { line, clock } = setUp(() => new Promise(() => {}), 'a:1,b:2')
    const left = assert.rejects(line.ask(get, stop.signal), { code: 'cancelled' })
    await clock.settle()
    stop.abort()
    await left
    await assert.rejects(line.ask(get, stop.signal), { code: 'cancelled' })
    assert.equal(clock.timers, 0)
  })

  it('a body that is too long is not read to its end', async () => {
    let pulled = 0
    let cancelled = false
    const body = new ReadableStream({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(1024 * 1024))
      },
      cancel: () => void (cancelled = true),
    })
    const { line } = setUp(async () => new Response(body))
    await assert.rejects(line.ask(get, never), {
      code: 'resource_exhausted',
      message: /the answer is longer than 8388608 bytes/,
    })
    assert.ok(cancelled && pulled <= maxBodyBytes / (1024 * 1024) + 2)
  })

  it('of several addresses the next is asked where one does not answer, and then stays the first', async () => {
    const asked: string[] = []
    const down = new Set(['http://a:1/list'])
    const { line } = setUp(async (url) => {
      asked.push(url as string)
      return down.has(url as string) ? refused() : new Response('')
    }, 'a:1,b:2')
    assert.deepEqual((await line.ask(get, never)).from, { host: 'b', port: 2 })
    await line.ask(get, never)
    down.add('http://b:2/list')
    await assert.rejects(line.ask(get, never), { code: 'unavailable' })
    assert.deepEqual(
      asked.map((url) => url[7]),
      ['a', 'b', 'b', 'b', 'a'],
    )
  })
})
