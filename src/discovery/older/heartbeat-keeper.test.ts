import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Call } from '../../core/call.ts'
import { currentCall, runInCall } from '../../core/context.ts'
import { RpcError } from '../../core/error.ts'
import { silentLogger } from '../../core/log.ts'
import { seededRandom } from '../../core/random.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { math } from '../discovery.suite.ts'
import type { DiscoveryRoom } from '../source.ts'
import type { Entry, Telling } from './dialect.ts'
import { HeartbeatKeeper } from './heartbeat-keeper.ts'

type What = 'register' | 'heartbeat' | 'unregister'

function setUp() {
  const clock = createVirtualClock()
  const told: string[] = []
  const answers: Partial<Record<string, () => Promise<unknown>>> = {}
  const tell = (what: What) => async (entry: Entry, signal: AbortSignal) => {
    told.push(`${what} ${entry.content}`)
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    await Promise.race([answers[`${what} ${entry.key}`]?.() ?? Promise.resolve(), aborted])
  }
  const telling: Telling<Entry> = {
    entries: ({ id, weight }) => [{ key: id, content: `${id} ${weight}` }],
    register: tell('register'),
    async heartbeat(entry, signal) {
      await tell('heartbeat')(entry, signal)
      return true
    },
    unregister: tell('unregister'),
  }
  const room: DiscoveryRoom = {
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    reach: () => assert.fail('not here'),
  }
  const keeper = new HeartbeatKeeper({ room, target: 'old://', telling, heartbeatMs: 1_000 })
  return { clock, told, answers, keeper, add: (id: string) => keeper.add([{ ...math, id }], 15_000) }
}

const never = () => new Promise(() => {})
const down = () => Promise.reject(new RpcError('unavailable', 'down'))

describe('heartbeats', () => {
  it('one entry that fails does not let the others run out', async () => {
    const h = setUp()
    h.answers['register bad'] = down
    const good = h.add('good')
    h.add('bad')
    await h.clock.advance(60_000)
    await good.ready
    const beats = h.told.filter((line) => line.startsWith('heartbeat good')).length
    assert.ok(beats >= 50 && beats <= 67, `${beats} in a minute`)
    const tries = h.told.filter((line) => line.startsWith('register bad')).length
    assert.ok(tries > 10 && tries < 2 * beats, `${tries} in a minute`)
    await Promise.all([h.keeper.close(), h.clock.advance(1_000)])
  })

  it('after an outage all entries are told at once, also those that are not due yet', async () => {
    const h = setUp()
    h.add('a')
    await h.clock.advance(500)
    h.add('b')
    await h.clock.advance(300)
    h.answers['heartbeat a'] = down
    while (!h.told.includes('heartbeat a 2')) await h.clock.advance(1)
    h.told.length = 0
    delete h.answers['heartbeat a']
    await h.clock.advance(250)
    assert.deepEqual(h.told, ['heartbeat a 2', 'heartbeat b 2'])
    await h.keeper.close()
  })

  it('who is closed while the first answer is awaited is taken back: the registry may have him', async () => {
    const h = setUp()
    h.answers['register a'] = never
    const registration = h.add('a')
    registration.ready.catch(() => {})
    await h.clock.settle()
    await Promise.all([registration.close(), h.clock.advance(1_000)])
    assert.deepEqual(h.told, ['register a 2', 'unregister a 2'])
    await h.clock.advance(60_000)
    assert.deepEqual([h.told.length, h.clock.timers], [2, 0])
  })

  it('taking back is tried twice, then left to time', async () => {
    const h = setUp()
    const registration = h.add('a')
    await h.clock.settle()
    h.answers['unregister a'] = down
    await Promise.all([registration.close(), h.clock.advance(60_000)])
    assert.deepEqual(h.told, ['register a 2', 'unregister a 2', 'unregister a 2'])
  })

  it('what changes while it is being told is told again', async () => {
    const h = setUp()
    let answer = () => {}
    h.answers['register a'] = () => new Promise<void>((resolve) => (answer = resolve))
    const registration = h.add('a')
    await h.clock.settle()
    const updated = registration.update([{ ...math, id: 'a', weight: 9 }])
    answer()
    await h.clock.settle()
    answer()
    await updated
    assert.deepEqual(h.told, ['register a 2', 'register a 9'])
    await h.keeper.close()
  })

  it('a server that offers nothing yet is registered when it does', async () => {
    const h = setUp()
    const registration = h.keeper.add([{ ...math, id: 'a', status: 'draining' }], 15_000)
    await registration.ready
    await h.clock.advance(10_000)
    assert.deepEqual(h.told, [])
    await registration.update([{ ...math, id: 'a' }])
    assert.deepEqual(h.told, ['register a 2'])
    await h.keeper.close()
    assert.throws(() => h.add('b'), { code: 'unavailable' })
  })

  it('belong to no call, also where a handler starts them', async () => {
    const h = setUp()
    const inside: unknown[] = []
    h.answers['heartbeat a'] = async () => void inside.push(currentCall())
    const around = new Call({
      clock: h.clock,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: h.clock.now() + 10,
    })
    runInCall(around, () => h.add('a'))
    await h.clock.advance(5_000)
    assert.ok(inside.length >= 4 && inside.every((call) => call === undefined))
    await h.keeper.close()
  })
})
