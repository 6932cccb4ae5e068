import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Handler } from '../../core/layer.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import type { HttpRequest, HttpResponse } from '../http-route.ts'
import { testRoom } from '../json-head/session-rig.suite.ts'
import { jsonRpcRoute } from './index.ts'

const echo: Handler = (call) => call.args.list

async function ask(patch: Partial<HttpRequest> & { text?: string; type?: string }, handler = echo) {
  const {
    text = '{"jsonrpc":"2.0","method":"f","params":[1],"id":1}',
    type = 'application/json',
    ...rest
  } = patch
  return jsonRpcRoute()(
    {
      method: 'POST',
      path: '/rpc',
      query: new URLSearchParams(),
      headers: new Map([['content-type', type]]),
      body: new TextEncoder().encode(text),
      peer: { transport: 'tcp', address: '127.0.0.1:1' },
      host: 'localhost',
      room: testRoom(createVirtualClock()),
      signal: new AbortController().signal,
      ...rest,
    },
    handler,
  )
}

function textOf(response: HttpResponse | undefined): string {
  assert.ok(typeof response?.body === 'string')
  return response.body
}

describe('json-rpc over HTTP', () => {
  it('answers requests, batches and errors with 200', async () => {
    const one = await ask({ type: 'Application/JSON; charset=utf-8' })
    assert.deepEqual(one, {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"result":[1]}',
    })
    const batch = await ask({
      text: '[{"jsonrpc":"2.0","method":"f","id":1},{"jsonrpc":"2.0","method":"f"}]',
    })
    assert.equal(batch?.body, '[{"jsonrpc":"2.0","id":1,"result":[]}]')
    assert.match(textOf(await ask({ text: '{' })), /-32700/)
    assert.equal((await ask({ text: '{"jsonrpc":"2.0","method":"f"}' }))?.status, 204)
  })

  it('answers at its path, POST and JSON alone', async () => {
    assert.equal(await ask({ path: '/rpc/f' }), undefined)
    assert.equal((await ask({ method: 'GET' }))?.headers?.['allow'], 'POST')
    assert.equal((await ask({ type: 'text/plain' }))?.status, 415)
    assert.deepEqual(jsonRpcRoute({ path: '/json' }).paths, ['/json'])
  })

  it('cancels the calls of a caller that is gone', async () => {
    const gone = new AbortController()
    let cancelled = false
    const reply = ask({ signal: gone.signal }, (call) => {
      call.onCancel(() => {
        cancelled = true
      })
      return new Promise(() => {})
    })
    gone.abort()
    assert.match(textOf(await reply), /"code":-32001/)
    assert.ok(cancelled)
  })
})
