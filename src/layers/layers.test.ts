import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isNotExecuted, RpcError } from '../core/error.ts'
import { compose, isPending, type Layer } from '../core/layer.ts'
import { silentLogger } from '../core/log.ts'
import { Metadata } from '../core/metadata.ts'
import { isStream } from '../core/stream.ts'
import { layerRig, outcomeOf } from '../testing/layer-rig.ts'
import { limit, logCalls, requireToken, retry, sendToken, timeout } from './index.ts'
import { layerSuite } from './layer.suite.ts'

const accepting = () => {
  const [send, require] = [sendToken('t'), requireToken({ token: 't' })]
  return (next: Parameters<Layer>[0]) => send(require(next))
}

// The layer that the guide shows: times every call, whatever it comes to.
const lines: string[] = []
const userLayer: Layer = (next) => (call) => {
  call.onEnd(({ error, startedAt, endedAt }) => {
    lines.push(`${call.name} ${error?.code ?? 'ok'} ${endedAt - startedAt}`)
  })
  return next(call)
}
// And one that changes what comes back, be it there at once, later, or a stream.
const shouting: Layer = (next) => (call) => {
  const loud = (reply: unknown): unknown => (isStream(reply) ? each(reply) : String(reply).toUpperCase())
  const reply = next(call)
  return isPending(reply) ? reply.then(loud) : loud(reply)
}
async function* each(items: AsyncIterable<unknown>) {
  for await (const item of items) yield String(item).toUpperCase()
}

layerSuite('timeout', () => timeout({ timeoutMs: 1_000 }))
layerSuite('limit', () => limit({ maxInFlight: 3 }))
layerSuite('tokens', accepting)
layerSuite('log', () => logCalls({ logger: silentLogger }))
layerSuite('a user’s own', () => userLayer)
layerSuite(
  'all together',
  () => (next) =>
    compose(
      [
        logCalls({ logger: silentLogger }),
        userLayer,
        limit({ maxInFlight: 9 }),
        accepting(),
        timeout({ timeoutMs: 50 }),
      ],
      next,
    ),
)

describe('a user’s own layer', () => {
  it('works around values, streams and sync replies', async () => {
    const { make } = layerRig()
    assert.equal(shouting(() => 'a')(make()), 'A')
    assert.equal(await shouting(async () => 'b')(make()), 'B')
    const stream = shouting(async function* () {
      yield 'c'
      yield 'd'
    })(make())
    assert.deepEqual(await Array.fromAsync(stream as AsyncIterable<string>), ['C', 'D'])
  })

  it('works inside and outside of retry', async () => {
    for (const order of [
      [shouting, retry()],
      [retry(), shouting],
    ]) {
      const { make, session, peer, clock } = layerRig()
      const call = make()
      const reply = outcomeOf(compose(order, session.call), call)
      peer.held[0]?.refuse()
      await clock.settle()
      peer.held[0]?.answer('again')
      assert.equal(await reply, 'AGAIN')
      assert.ok(call.ended)
    }
  })
})

describe('timeout', () => {
  it('cancels what takes too long, and says so', async () => {
    const { make, session, clock } = layerRig()
    const call = make()
    const reply = outcomeOf(timeout({ timeoutMs: 200 })(session.call), call)
    await clock.advance(204)
    const error = await reply
    assert.ok(
      RpcError.is(error) && error.code === 'deadline_exceeded' && /200 ms/.test(error.message),
      String(error),
    )
    assert.equal(clock.deadlines.size, 0)
  })

  it('aborts the signal of what is being served', async () => {
    const { served, clock } = layerRig()
    const call = served()
    void timeout({ timeoutMs: 200 })(() => new Promise(() => {}))(call)
    await clock.advance(204)
    assert.ok(call.signal.aborted)
  })

  it('never lengthens a deadline', async () => {
    const { make, clock } = layerRig()
    const call = make({ deadline: clock.now() + 20 })
    timeout({ timeoutMs: 200 })(() => 1)(call)
    assert.equal(call.remainingMs(), 20)
    assert.throws(() => timeout({ timeoutMs: 0 }), /timeoutMs must be a number/)
  })
})

describe('limit', () => {
  function rig(options = {}) {
    const base = layerRig()
    const handler = limit({ maxInFlight: 2, maxQueued: 2, ...options })(base.session.call)
    const start = (patch = {}) => {
      const call = base.make(patch)
      return { call, reply: outcomeOf(handler, call) }
    }
    return { ...base, handler, start }
  }

  it('lets only so many be carried out at once; the others follow in order', async () => {
    const { start, peer, clock } = rig()
    const all = ['a', 'b', 'c', 'd'].map((method) => start({ method }))
    assert.deepEqual(
      peer.calls.map(({ call }) => call.method),
      ['a', 'b'],
    )
    for (let i = 0; i < 4; i++) {
      peer.held[0]?.answer(i)
      await clock.settle()
    }
    assert.deepEqual(await Promise.all(all.map(({ reply }) => reply)), [0, 1, 2, 3])
    assert.deepEqual(
      peer.calls.map(({ call }) => call.method),
      ['a', 'b', 'c', 'd'],
    )
  })

  it('refuses what is too much at once, and what waited too long, as not executed', async () => {
    const { start, peer, clock } = rig()
    const [, , waiting] = [start(), start(), start(), start()]
    const refused = start()
    for (const { call, reply } of [refused, waiting]) {
      if (call === waiting?.call) await clock.advance(50)
      const error = await reply
      assert.ok(
        RpcError.is(error) && error.code === 'resource_exhausted' && isNotExecuted(error),
        String(error),
      )
      assert.ok(call.notExecuted)
    }
    assert.equal(peer.calls.length, 2)
    for (const held of peer.held) held.answer(1)
    await clock.settle()
    assert.equal(peer.calls.length, 2, 'what was refused never runs')
    const next = start()
    peer.held[0]?.answer('room again')
    assert.equal(await next.reply, 'room again')
  })

  it('never runs what is cancelled or expires while it waits', async () => {
    const { start, peer, clock } = rig({ queueMs: 10_000 })
    start()
    start()
    const cancelled = start()
    const expired = start({ deadline: clock.now() + 10 })
    cancelled.call.cancel(new RpcError('cancelled', 'enough'))
    await clock.advance(20)
    assert.deepEqual(
      [await cancelled.reply, await expired.reply].map((error) => (error as RpcError).code),
      ['cancelled', 'deadline_exceeded'],
    )
    for (const held of peer.held) held.answer(1)
    await clock.settle()
    assert.equal(peer.calls.length, 2)
  })

  it('does not end what is being served: the session that made the call answers it', async () => {
    const { served, session, clock } = layerRig()
    const handler = limit({ maxInFlight: 1, maxQueued: 1 })(session.call)
    void outcomeOf(handler, served())
    const [queued, refused] = [served(), served()]
    const replies = [outcomeOf(handler, queued), outcomeOf(handler, refused)]
    await clock.advance(50)
    for (const reply of replies) assert.ok(isNotExecuted(await reply))
    assert.ok(!queued.ended && !refused.ended)
  })

  it('holds the place of a stream until that ends', async () => {
    const { make } = layerRig()
    const handler = limit({ maxInFlight: 1, queueMs: 0 })(async function* () {})
    const first = make()
    assert.ok(isStream(handler(first)))
    assert.equal(((await outcomeOf(handler, make())) as RpcError).code, 'resource_exhausted')
    first.end()
    assert.ok(isStream(handler(make())))
  })

  it('refuses options that make no sense', () => {
    assert.throws(() => limit({ maxInFlight: 0 }), /limit: maxInFlight must be a number of at least 1/)
  })
})

describe('tokens', () => {
  const serve = (options: Parameters<typeof requireToken>[0], authorization?: string) => {
    const { served } = layerRig()
    const call = served({ metadata: new Metadata(authorization === undefined ? {} : { authorization }) })
    return {
      call,
      reply: outcomeOf(
        requireToken(options)(({ identity }) => ({ identity })),
        call,
      ),
    }
  }

  it('lets an accepted token in, and says whose it is', async () => {
    assert.deepEqual(await serve({ token: 's3cret' }, 'Bearer s3cret').reply, { identity: 'bearer' })
    assert.deepEqual(await serve({ tokens: { ops: 'one', ci: 'two' } }, 'bearer two').reply, {
      identity: 'ci',
    })
    const verify = async (token: string) => (token === 'jwt' ? { user: 7 } : undefined)
    assert.deepEqual(await serve({ verify }, 'Bearer jwt').reply, { identity: { user: 7 } })
  })

  it('lets peers through that cannot send one, where their protocol is named, and nobody by another', async () => {
    const by = (protocol: string | undefined, authorization?: string) => {
      const { served } = layerRig()
      const metadata = new Metadata(authorization === undefined ? {} : { authorization })
      const peer = protocol === undefined ? undefined : { transport: 'tcp', address: 'a:1', protocol }
      const layer = requireToken({ token: 's3cret', tokenless: ['lab-json'] })
      return outcomeOf(
        layer(({ identity }) => ({ identity })),
        served({ metadata, peer }),
      )
    }
    assert.deepEqual(await by('lab-json'), { identity: undefined })
    assert.deepEqual(await by('lab-json', 'Bearer s3cret'), { identity: 'bearer' })
    for (const refused of [by('lab-json', 'Bearer x'), by('json-rpc'), by('farcall'), by(undefined)])
      assert.equal(((await refused) as RpcError).code, 'unauthenticated')
  })

  it('refuses everything else before the arguments are decoded, and does not tell why', async () => {
    const wrong = [
      'Bearer s3creT',
      'Bearer s3cre',
      'Bearer s3crets',
      'Bearer s3crets3cret',
      's3cret',
      'Basic s3cret',
      'Bearer ',
      '',
      undefined,
    ]
    for (const authorization of wrong) {
      const { served } = layerRig()
      const args = { decode: () => assert.fail('decoded') }
      const call = served({
        args,
        metadata: new Metadata(authorization === undefined ? {} : { authorization }),
      })
      const error = await outcomeOf(
        requireToken({ token: 's3cret' })(() => assert.fail('ran')),
        call,
      )
      assert.ok(RpcError.is(error) && error.code === 'unauthenticated', `${authorization}: ${String(error)}`)
      assert.ok(!error.message.includes('s3cret'))
      assert.equal(call.identity, undefined)
    }
    for (const nobody of [undefined, null, false]) {
      assert.equal(
        ((await serve({ verify: () => nobody }, 'Bearer x').reply) as RpcError).code,
        'unauthenticated',
      )
    }
  })

  it('takes an own error of verify as it is', async () => {
    const verify = () => {
      throw new RpcError('permission_denied', 'suspended')
    }
    assert.equal(((await serve({ verify }, 'Bearer x').reply) as RpcError).code, 'permission_denied')
  })

  it('sends a token, also a fresh one for each call, and none over the caller’s own', async () => {
    const { make } = layerRig()
    const sent = async (token: Parameters<typeof sendToken>[0], metadata?: Metadata) =>
      outcomeOf(
        sendToken(token)((call) => call.metadata.get('authorization')),
        make({ metadata }),
      )
    assert.equal(await sent('a'), 'Bearer a')
    assert.equal(await sent(() => 'b'), 'Bearer b')
    assert.equal(await sent(async () => 'c'), 'Bearer c')
    assert.equal(await sent('d', new Metadata({ authorization: 'Bearer own' })), 'Bearer own')
  })

  it('refuses options that make no sense', () => {
    for (const options of [
      {},
      { token: '' },
      { token: 'a b' },
      { token: 'a', tokens: {} },
      { tokens: { ops: '' } },
    ]) {
      assert.throws(
        () => requireToken(options),
        (error) => RpcError.is(error) && error.code === 'invalid_argument',
      )
    }
  })
})
