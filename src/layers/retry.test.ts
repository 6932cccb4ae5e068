import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Call, CallInit } from '../core/call.ts'
import type { ErrorCode } from '../core/code.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import { compose, type Handler } from '../core/layer.ts'
import { fail } from '../core/settle.ts'
import { layerRig, outcomeOf } from '../testing/layer-rig.ts'
import { type RetryOptions, retry } from './retry.ts'
import { timeout } from './timeout.ts'

const idempotent = { idempotent: true, input: 'values', output: 'value' } as const

function rig(options: RetryOptions = {}, layers: Parameters<typeof compose>[0] = []) {
  const base = layerRig()
  const { peer, session, make } = base
  const handler = compose([retry({ random: () => 0.5, ...options }), ...layers], session.call)
  const start = (patch?: Partial<CallInit>) => {
    const call = make(patch)
    return { call, reply: outcomeOf(handler, call) }
  }
  const failing = (code: ErrorCode, notExecuted = false) => {
    peer.answer = () => {
      const error = new RpcError(code, `failed: ${code}`)
      throw notExecuted ? markNotExecuted(error) : error
    }
  }
  return { ...base, handler, start, failing }
}

function isError(value: unknown, code: ErrorCode): asserts value is RpcError {
  assert.ok(RpcError.is(value) && value.code === code, String(value))
}

describe('retry', () => {
  it('costs no promise where there is nothing to retry, and ends the call', async () => {
    const { handler, peer, make } = rig()
    const call = make()
    const reply = handler(call)
    assert.equal(reply, peer.calls[0]?.promise)
    peer.calls[0]?.answer(7)
    assert.equal(await reply, 7)
    assert.ok(call.ended && call.error === undefined && call.headAt > 0)
    const sync = rig().make()
    assert.equal(retry()(() => 'at once')(sync), 'at once')
    assert.ok(sync.ended)
  })

  it('repeats at once what was never executed, with the attempt’s number', async () => {
    const { start, peer, clock } = rig()
    const { call, reply } = start()
    peer.held[0]?.refuse()
    await clock.settle()
    assert.equal(peer.held[0]?.call.attempt, 2)
    assert.ok(!call.ended)
    peer.held[0]?.answer('second')
    assert.equal(await reply, 'second')
    assert.ok(call.ended && call.error === undefined)
    assert.equal(clock.timers, 0)
  })

  it('waits with jitter before the third attempt, and there is no fourth', async () => {
    const { start, failing, peer, clock } = rig()
    failing('unavailable', true)
    const { call, reply } = start()
    await clock.settle()
    assert.equal(peer.calls.length, 2)
    await clock.advance(49)
    assert.equal(peer.calls.length, 2)
    await clock.advance(1)
    assert.equal(peer.calls.length, 3)
    isError(await reply, 'unavailable')
    assert.ok(call.notExecuted)
    await clock.advance(60_000)
    assert.equal(peer.calls.length, 3)
  })

  it('repeats what is idempotent, and only for reasons that pass', async () => {
    for (const [code, attempts] of [
      ['unavailable', 3],
      ['deadline_exceeded', 3],
      ['internal', 1],
      ['invalid_argument', 1],
      ['resource_exhausted', 1],
      ['cancelled', 1],
    ] as const) {
      const { start, failing, peer, clock } = rig()
      failing(code)
      const { call, reply } = start({ info: idempotent })
      await clock.advance(1_000)
      isError(await reply, code)
      assert.equal(peer.calls.length, attempts, code)
      assert.ok(!call.notExecuted)
    }
  })

  it('repeats nothing that may have been executed and is not known to be idempotent', async () => {
    const { start, failing, peer, clock } = rig()
    failing('unavailable')
    isError(await start().reply, 'unavailable')
    await clock.advance(1_000)
    assert.equal(peer.calls.length, 1)
  })

  it('does not repeat what is wrong with the call itself, though it was not executed', async () => {
    for (const code of ['invalid_argument', 'unimplemented', 'cancelled', 'permission_denied'] as const) {
      const { start, failing, peer, clock } = rig()
      failing(code, true)
      isError(await start({ info: idempotent }).reply, code)
      await clock.advance(1_000)
      assert.equal(peer.calls.length, 1, code)
    }
  })

  it('goes elsewhere when refused for overload, but not at once', async () => {
    const { start, peer, clock } = rig()
    const { reply } = start()
    peer.held[0]?.refuse('resource_exhausted')
    await clock.settle()
    assert.equal(peer.held.length, 0)
    await clock.advance(25)
    peer.held[0]?.answer('ok')
    assert.equal(await reply, 'ok')
  })

  it('never repeats once an item was taken from a stream argument', async () => {
    const { start, peer, clock } = rig()
    const { reply } = start({ info: idempotent })
    peer.held[0]?.call.takeInput()
    peer.held[0]?.fail(new RpcError('unavailable', 'lost'))
    isError(await reply, 'unavailable')
    await clock.advance(1_000)
    assert.equal(peer.calls.length, 1)
  })

  it('never repeats once the reply has begun', async () => {
    const { start, peer, clock } = rig()
    const { reply } = start({ info: idempotent })
    peer.held[0]?.begin()
    peer.held[0]?.fail(new RpcError('unavailable', 'lost'))
    isError(await reply, 'unavailable')
    await clock.advance(1_000)
    assert.equal(peer.calls.length, 1)
  })

  it('never waits beyond the deadline', async () => {
    const { start, failing, peer, clock } = rig({ baseMs: 1_000 })
    failing('unavailable')
    const before = clock.now()
    const { reply } = start({ info: idempotent, deadline: clock.now() + 400 })
    isError(await reply, 'unavailable')
    assert.equal(clock.now(), before, 'it fails at once with the reason, not later with the deadline')
    assert.equal(peer.calls.length, 1)
  })

  it('ends in the wait when it is cancelled or expires, and leaves no timer', async () => {
    for (const how of ['cancel', 'expire'] as const) {
      const { start, failing, peer, clock } = rig({ baseMs: 10_000, maxMs: 10_000 })
      failing('unavailable')
      const { call, reply } = start({ info: idempotent, deadline: clock.now() + 5_500 })
      await clock.settle()
      if (how === 'cancel') call.cancel(new RpcError('cancelled', 'enough'))
      else await clock.advance(0).then(() => call.onDue())
      isError(await reply, how === 'cancel' ? 'cancelled' : 'deadline_exceeded')
      assert.ok(call.ended && !call.notExecuted)
      assert.equal(clock.timers, 0)
      await clock.advance(20_000)
      assert.equal(peer.calls.length, 1)
    }
  })

  it('cancels the attempt that is on its way', async () => {
    const { start, peer, clock } = rig()
    const { call, reply } = start({ info: idempotent })
    peer.held[0]?.refuse()
    await clock.settle()
    call.cancel(new RpcError('cancelled', 'enough'))
    isError(await reply, 'cancelled')
    assert.equal(peer.held.length, 0)
    assert.ok(call.ended && !call.notExecuted)
  })

  it('gives each attempt its own time with a timeout inside', async () => {
    const { start, peer, clock } = rig({}, [timeout({ timeoutMs: 100 })])
    const { reply } = start({ info: idempotent })
    await clock.advance(104)
    await clock.advance(30)
    assert.equal(peer.calls.length, 2)
    assert.equal(peer.calls[0]?.call.error?.code, 'deadline_exceeded')
    peer.held[0]?.answer('in time')
    assert.equal(await reply, 'in time')
    assert.equal(clock.deadlines.size, 0)
  })

  it('hands on whom it has tried, and starts no attempt within the failure of another', async () => {
    const tried: unknown[] = []
    let inside = false
    const handler = retry({ random: () => 0 })((call: Call) => {
      assert.equal(inside, false)
      tried.push([...(call.tried ?? [])])
      call.candidate = `candidate ${tried.length}`
      inside = true
      try {
        return fail(call, markNotExecuted(new RpcError('unavailable', 'gone')))
      } finally {
        inside = false
      }
    })
    isError(await outcomeOf(handler, layerRig().make()), 'unavailable')
    assert.deepEqual(tried, [[], ['candidate 1'], ['candidate 1', 'candidate 2']])
  })

  it('keeps within its budget: a fifth of the calls, and ten a second', async () => {
    const { start, failing, peer, clock } = rig({ baseMs: 0 })
    failing('unavailable')
    const calls = 4_000
    for (let i = 0; i < calls; i++) {
      const { reply } = start({ info: idempotent })
      if (i % 100 === 99) await clock.advance(1_000)
      else await clock.settle()
      isError(await reply, 'unavailable')
    }
    const retries = peer.calls.length - calls
    // 40 s at 100 calls a second: 20 % and 10/s, and what the bucket held at first.
    assert.ok(retries <= calls * 0.2 + 40 * 10 + 200, `${retries} retries for ${calls} calls`)
    assert.ok(retries > calls * 0.2, `${retries}`)
  })

  it('counts only the retries of one layer against its budget, whatever the calls', async () => {
    const { start, failing, peer, clock } = rig({ baseMs: 0, budget: { share: 0, perSecond: 0 } })
    failing('unavailable')
    isError(await start({ info: idempotent }).reply, 'unavailable')
    assert.equal(peer.calls.length, 1)
    failing('unavailable', true)
    isError(await start().reply, 'unavailable')
    await clock.settle()
    assert.equal(peer.calls.length, 3, 'what never reached anybody is repeated once all the same')
  })

  it('ends an attempt that a layer inside answers or refuses by itself', async () => {
    const { make } = layerRig()
    const refused = make()
    const refusing: Handler = () => {
      throw new RpcError('permission_denied', 'no')
    }
    isError(await outcomeOf(retry()(refusing), refused), 'permission_denied')
    assert.equal(refused.error?.code, 'permission_denied')
    const plain = make()
    const throwing: Handler = () => {
      throw new TypeError('oops')
    }
    isError(await outcomeOf(retry()(throwing), plain), 'internal')
    assert.ok(plain.ended)
  })

  it('settles exactly once, and rejects nothing that nobody handles', async () => {
    const { make } = layerRig()
    // A handler that ends its call badly but takes no notice of the replacement.
    const careless: Handler = (call) => {
      const error = markNotExecuted(new RpcError('unavailable', 'gone'))
      call.end(error, true)
      return Promise.reject(error)
    }
    const call = make()
    let ends = 0
    call.onEnd(() => ends++)
    isError(await outcomeOf(retry({ baseMs: 0 })(careless), call), 'unavailable')
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(ends, 1)
  })

  it('refuses options that make no sense', () => {
    for (const options of [
      { attempts: 0 },
      { factor: 0.5 },
      { baseMs: -1 },
      { budget: { share: Number.NaN } },
    ]) {
      assert.throws(
        () => retry(options),
        (error) => RpcError.is(error) && error.code === 'invalid_argument',
      )
    }
  })
})
