import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Call } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { seededRandom } from '../core/random.ts'
import { type FakeCandidate, fakeCandidate } from '../testing/fake-candidate.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { Candidate, Picker } from './balancer.ts'
import { balancers, consistentHash } from './index.ts'

const clock = createVirtualClock(1_000_000)
const policy = consistentHash()
const keys = Array.from({ length: 5_000 }, (_, i) => `user:${i}`)

const room = (previous?: Picker) => ({ clock, random: seededRandom(1), previous })
const some = (count: number) => Array.from({ length: count }, (_, i) => fakeCandidate(`c${i}`))
const call = (key?: string, tried?: ReadonlySet<unknown>) =>
  new Call({ clock, service: 's', method: 'm', args: { list: [] }, deadline: Infinity, key, tried })
const owners = (picker: Picker) => keys.map((key) => picker.pick(call(key)) as Candidate)

/** The share of keys that are elsewhere, and where they were and are. */
function moved(before: readonly Candidate[], after: readonly Candidate[]) {
  const changed = before.flatMap((from, i) => (from === after[i] ? [] : [{ from, to: after[i] }]))
  return {
    share: changed.length / keys.length,
    from: new Set(changed.map(({ from }) => from)),
    to: new Set(changed.map(({ to }) => to)),
  }
}

describe('consistent-hash', () => {
  it('moves to one that comes only its share of the keys, and no others', () => {
    for (const count of [2, 3, 10, 40]) {
      const all = some(count + 1)
      const first = policy(all.slice(0, -1), room())
      const before = owners(first)
      const { share, to } = moved(before, owners(policy(all, room(first))))
      assert.ok(Math.abs(share * (count + 1) - 1) < 0.25, `${count}: ${share}`)
      assert.deepEqual([...to], [all.at(-1)])
    }
  })

  it('moves from one that goes only its own keys, each to where it stays', () => {
    const all = some(11)
    const first = policy(all, room())
    const before = owners(first)
    const second = policy(all.slice(1), room(first))
    const { share, from } = moved(before, owners(second))
    assert.ok(Math.abs(share * 11 - 1) < 0.25, String(share))
    assert.deepEqual([...from], [all[0]])
    assert.equal(moved(before, owners(policy(all, room(second)))).share, 0)
  })

  it('sends a key to the same address from every client and after every restart', () => {
    const [one, other] = [some(8), some(8).toReversed()]
    for (const candidate of other)
      candidate.instance = { ...candidate.instance, id: `new-${candidate.instance.id}`, incarnation: 2 }
    const address = ({ endpoint }: Candidate) => JSON.stringify(endpoint.address)
    const before = owners(policy(one, room())).map(address)
    assert.deepEqual(owners(policy(other, { clock, random: seededRandom(2) })).map(address), before)
  })

  it('knows one by the name in its metadata, at whatever address', () => {
    const named = (id: string, name: string) => {
      const candidate = fakeCandidate(id)
      candidate.instance = { ...candidate.instance, metadata: { 'hash-key': name } }
      return candidate
    }
    const name = ({ instance }: Candidate) => instance.metadata['hash-key']
    const before = owners(policy([named('a', 'x'), named('b', 'y')], room())).map(name)
    assert.deepEqual(owners(policy([named('c', 'x'), named('d', 'y')], room())).map(name), before)
  })

  it('gives shares by weight, and where a weight changes moves only what has to', () => {
    const all = some(5)
    const first = policy(all, room())
    const before = owners(first)
    const heavy = all[2] as FakeCandidate
    heavy.instance = { ...heavy.instance, weight: 2 }
    const after = owners(policy(all, room(first)))
    const { share, to } = moved(before, after)
    assert.deepEqual([...to], [heavy])
    assert.ok(Math.abs(share - (2 / 6 - 1 / 5)) < 0.04, String(share))
    heavy.instance = { ...heavy.instance, weight: 0 }
    assert.ok(!owners(policy(all, room())).includes(heavy))
  })

  it('keeps to one that has yet to be connected', () => {
    const all = some(5)
    const before = owners(policy(all, room()))
    for (const candidate of all.slice(1)) candidate.state = 'idle'
    assert.equal(moved(before, owners(policy(all, room()))).share, 0)
  })

  it('passes over one that failed until it is connected again', () => {
    const all = some(5)
    const [failing] = all as [FakeCandidate]
    let picker = policy(all, room())
    const before = owners(picker)
    for (const state of ['failing', 'connecting', 'failing', 'connecting'] as const) {
      failing.state = state
      picker = policy(all, room(picker))
      const { from } = moved(before, owners(picker))
      assert.deepEqual([...from], [failing], state)
    }
    // Idle is who is connected only by a call: without one it would never be found to be there again.
    for (const state of ['ready', 'idle'] as const) {
      failing.state = state
      assert.equal(moved(before, owners(policy(all, room(picker)))).share, 0)
    }
  })

  it('lets none have more in flight than the factor says, even if all calls have one key', () => {
    for (const [count, loadFactor] of [
      [4, 1.25],
      [10, 1.5],
      [100, 2],
    ] as const) {
      const all = some(count)
      const picker = consistentHash({ loadFactor })(all, room())
      let at = 0
      for (let total = 1; total <= 50 * count; total++) {
        const picked = picker.pick(call('popular')) as FakeCandidate
        picked.load.inFlight++
        // Of more than 32 they are not counted at each pick.
        const most = Math.max(4, Math.ceil((loadFactor * (total + count / 32)) / count))
        assert.ok(picked.load.inFlight <= most, `${total}: ${picked.load.inFlight} > ${most}`)
        at = total
      }
      assert.equal(at, 50 * count)
    }
  })

  it('bounds by weight', () => {
    const all = [fakeCandidate('light', { weight: 1 }), fakeCandidate('heavy', { weight: 3 })]
    const picker = policy(all, room())
    for (let i = 0; i < 400; i++) (picker.pick(call(`k${i % 2}`)) as FakeCandidate).load.inFlight++
    const [light, heavy] = all as [FakeCandidate, FakeCandidate]
    assert.ok(light.load.inFlight <= 125 && heavy.load.inFlight <= 375)
  })

  it('sends what is above the bound always to the same others, and back as soon as there is room', () => {
    const all = some(6)
    const picker = policy(all, room())
    const owner = picker.pick(call('k')) as FakeCandidate
    owner.load.inFlight = 100
    const second = picker.pick(call('k'))
    assert.notEqual(second, owner)
    assert.equal(picker.pick(call('k')), second)
    owner.load.inFlight = 3
    assert.equal(picker.pick(call('k')), owner)
  })

  it('does not move a key for a few calls at once, nor where there is no bound', () => {
    const all = some(6)
    const picker = policy(all, room())
    const unbounded = consistentHash({ loadFactor: Infinity })(all, room())
    const owner = picker.pick(call('k')) as FakeCandidate
    for (; owner.load.inFlight < 4; owner.load.inFlight++) assert.equal(picker.pick(call('k')), owner)
    assert.notEqual(picker.pick(call('k')), owner)
    owner.load.inFlight = 1_000
    assert.equal(unbounded.pick(call('k')), owner)
  })

  it('repeats a call at the next on the ring, and there again', () => {
    const all = some(6)
    const picker = balancers['consistent-hash'](all, room())
    const owner = picker.pick(call('k'))
    const next = picker.pick(call('k', new Set([owner])))
    assert.notEqual(next, owner)
    for (let i = 0; i < 10; i++) assert.equal(picker.pick(call('k', new Set([owner]))), next)
  })

  it('spreads calls without a key by load', () => {
    const all = some(3)
    for (const { load } of all) Object.assign(load, { usedAt: clock.now(), latencyMs: 1 })
    ;(all[1] as FakeCandidate).load.inFlight = 50
    const picker = policy(all, room())
    const picked = new Set(Array.from({ length: 100 }, () => picker.pick(call())))
    assert.deepEqual(picked, new Set([all[0], all[2]]))
  })

  it('says which option makes no sense', () => {
    for (const [options, message] of [
      [{ loadFactor: 1 }, /loadFactor must be a number above 1, got 1/],
      [{ loadFactor: Number.NaN }, /loadFactor/],
      [{ freeCalls: 0 }, /freeCalls must be a number of at least 1, got 0/],
    ] as const) {
      assert.throws(
        () => consistentHash(options),
        (error) => RpcError.is(error) && error.code === 'invalid_argument' && message.test(error.message),
      )
    }
  })
})
