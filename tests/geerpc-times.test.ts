import assert from 'node:assert/strict'
import { it } from 'node:test'
import { nodeParts, type RpcError, service } from 'farcall'
import { createGeerpcProtocol, type GeerpcOptions } from '../src/protocols/geerpc/index.ts'
import { createVirtualWorld, watch } from './support/virtual.ts'

// Who decides how long a call over geerpc may take; in virtual time, through a whole client and server.

const slow = service('Slow', { Never: () => new Promise<number>(() => {}) })

/** What a call comes to that is never answered, and after how many milliseconds; undefined for nothing in a day. */
async function unanswered(
  options: GeerpcOptions,
  connecting: { timeoutMs?: number } = {},
  calling: { timeoutMs?: number } = {},
): Promise<{ readonly error: RpcError; readonly ms: number } | undefined> {
  const protocols = [...nodeParts.protocols, createGeerpcProtocol(options)]
  const { clock, connect, serve } = createVirtualWorld(1, { protocols })
  const server = await serve([slow], { listen: ['memory:s'], drainTimeoutMs: 0 })
  const client = connect('geerpc+memory:s', connecting)
  const begun = clock.now()
  const call = watch(client.service<typeof slow>('Slow').$with(calling).Never())
  let ms = 0
  while (call.settled === 0 && ms < 86_400_000) {
    ms = ms < 60_000 ? ms + 100 : ms * 2
    await clock.advance(begun + ms - clock.now())
  }
  const ended = call.settled === 0 ? undefined : { error: call.error, ms }
  await Promise.all([client.close(), server.close(), clock.advance(60_000)])
  return ended
}

it('HandleTimeout 0: nobody, on neither side', async () => {
  assert.equal(await unanswered({}), undefined)
})

it('HandleTimeout: the server, and beyond the default deadline of clients too', async () => {
  for (const handleTimeoutMs of [300, 30_000]) {
    const ended = await unanswered({ handleTimeoutMs })
    const text = handleTimeoutMs === 300 ? '300ms' : '30s'
    assert.equal(ended?.error.message, `rpc server: request handle timeout: expect within ${text}`)
    assert.ok(ended.ms >= handleTimeoutMs && ended.ms <= handleTimeoutMs + 100, `${ended.ms} ms`)
  }
})

it('what was given for the client or the call: the client', async () => {
  for (const ended of [
    await unanswered({}, { timeoutMs: 500 }),
    await unanswered({}, {}, { timeoutMs: 500 }),
    await unanswered({ handleTimeoutMs: 30_000 }, { timeoutMs: 500 }),
  ]) {
    assert.match(String(ended?.error.message), /no answer within 500 ms, in phase 'wait'/)
    assert.ok(ended !== undefined && ended.ms <= 600, `${ended?.ms} ms`)
  }
})

it('ConnectTimeout: the protocol, for dialling and CONNECT together, or the client that was given another', async () => {
  const cases: [own: number, given: number | undefined, error: RegExp][] = [
    [3000, undefined, /not negotiated within 3000 ms/],
    [3000, 700, /not negotiated within 700 ms/],
    [0, undefined, /no answer within 10000 ms, in phase 'negotiate'/],
  ]
  for (const [own, connectTimeoutMs, error] of cases) {
    const protocols = [createGeerpcProtocol({ http: true, connectTimeoutMs: own })]
    const { clock, connect, network } = createVirtualWorld(1, { protocols })
    await network.transport.listen({ transport: 'memory', name: 'mute' }, () => {})
    const given = connectTimeoutMs === undefined ? {} : { connectTimeoutMs }
    const client = connect('geerpc-http+memory:mute', { retry: false, ...given })
    const call = watch(client.service<typeof slow>('Slow').Never())
    await clock.advance(Number(/\d+/.exec(error.source)) - 100)
    assert.equal(call.settled, 0)
    await clock.advance(200)
    assert.match(call.error?.message, error)
    await Promise.all([client.close(), clock.advance(60_000)])
  }
})
