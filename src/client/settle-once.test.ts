import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../core/error.ts'
import { seededRandom } from '../core/random.ts'
import { retry } from '../layers/index.ts'
import { createFakeNet } from '../testing/fake-net.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createClient, type ClientOptions } from './index.ts'

type Step =
  | {
      readonly do: 'call'
      readonly timeoutMs: number | undefined
      readonly how: 'plain' | 'idempotent' | 'broadcast' | 'send'
    }
  | { readonly do: 'answer' | 'fail' | 'refuse'; readonly which: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'die' | 'drain' | 'down' | 'up'; readonly peer: number }
  | { readonly do: 'replace'; readonly mask: number }
  | { readonly do: 'close'; readonly graceMs: number }

const which = fc.nat(20)
const peer = fc.nat(1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
      how: fc.constantFrom('plain', 'idempotent', 'broadcast', 'send'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('answer' as const, 'fail' as const, 'refuse' as const),
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(200) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('die' as const, 'drain' as const, 'down' as const, 'up' as const),
      peer,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), mask: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), graceMs: fc.constantFrom(0, 50) }) },
)

interface Made {
  readonly abort: AbortController
  settled: number
}

async function run(steps: readonly Step[], options: ClientOptions, seed: number): Promise<void> {
  const clock = createVirtualClock(1000)
  const net = createFakeNet(clock, seed)
  const peers = [net.peer('a'), net.peer('b')]
  const targets = ['memory:a', 'memory:b']
  const parts = { ...net.parts, retry: () => retry({ random: seededRandom(seed) }) }
  const client = createClient(parts, targets, options)
  const m = client.service('math') as any
  const made: Made[] = []
  const held = () => peers.flatMap((one) => one.held)

  function call(timeoutMs: number | undefined, how: string): void {
    const abort = new AbortController()
    const one: Made = { abort, settled: 0 }
    made.push(one)
    const options = {
      signal: abort.signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
      idempotent: how === 'idempotent',
    }
    const view = m.$with(options)
    const views: Record<string, any> = {
      plain: view,
      idempotent: view,
      broadcast: view.$broadcast(),
      send: view.$send,
    }
    const count = () => one.settled++
    views[how].add(1).then(count, (error: unknown) => {
      assert.ok(RpcError.is(error), String(error))
      count()
    })
  }

  for (const one of steps) {
    switch (one.do) {
      case 'call':
        call(one.timeoutMs, one.how)
        break
      case 'answer':
        held()[one.which]?.answer(1)
        break
      case 'fail':
        held()[one.which]?.fail(new RpcError('unavailable', 'failed', { phase: 'wait' }))
        break
      case 'refuse':
        held()[one.which]?.refuse()
        break
      case 'cancel':
        made[one.which]?.abort.abort()
        break
      case 'advance':
        await clock.advance(one.ms)
        break
      case 'die':
        peers[one.peer]?.open[0]?.die()
        break
      case 'drain':
        peers[one.peer]?.open[0]?.drainByPeer()
        break
      case 'down':
        peers[one.peer]!.connects = new RpcError('unavailable', 'down')
        break
      case 'up':
        peers[one.peer]!.connects = 'accept'
        break
      case 'replace':
        client.replace(targets.filter((_, i) => one.mask & (1 << i)))
        break
      case 'close':
        void client.close({ graceMs: one.graceMs })
        break
    }
  }
  // Nobody answers any more: deadlines, or the client's closing, settle what is left.
  await clock.advance(10_100)
  assert.deepEqual(
    made.map(({ settled }) => settled),
    made.map(() => 1),
  )
  assert.equal(client.status().pendingCalls, 0)
  const closing = client.close()
  await clock.advance(100)
  await closing
  assert.deepEqual(
    peers.flatMap(({ violations }) => violations),
    [],
  )
  assert.deepEqual(
    peers.flatMap(({ open }) => open),
    [],
  )
  assert.equal(clock.deadlines.size, 0)
  assert.deepEqual(
    made.map(({ settled }) => settled),
    made.map(() => 1),
  )
}

const settings: Record<string, ClientOptions> = {
  'with retry': {},
  'without retry': { retry: false },
  'with layers of a user': {
    layers: [(next) => async (call) => next(call)],
    attemptLayers: [(next) => (call) => next(call)],
  },
}

for (const [name, options] of Object.entries(settings)) {
  test(`every call settles exactly once, whatever happens, ${name}`, async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, seed) =>
        run(steps, options, seed),
      ),
      { numRuns: 150 },
    )
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    assert.deepEqual(unhandled, [])
  })
}
