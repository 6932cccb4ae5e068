import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { RpcError } from 'farcall'
import { frameTypes } from '../src/protocols/farcall/frames.ts'
import { attack } from './support/attack.ts'
import { type Attacked, attacked } from './support/attacked.ts'
import {
  call,
  encoded,
  frame,
  goodCall,
  hostileBytes,
  hostileNames,
  type Known,
  preface,
} from './support/hostile-bytes.ts'
import { type RawPeer, rawPeer } from './support/raw-peer.ts'

const known: Known = { service: 'target', method: 'add', args: [1, 2] }
const to = (method: string) => ({ service: 'target', method })

async function peers(target: string, count: number): Promise<RawPeer[] & Disposable> {
  const all = await Promise.all(Array.from({ length: count }, () => rawPeer(target)))
  return Object.assign(all, {
    [Symbol.dispose]() {
      for (const peer of all) peer[Symbol.dispose]()
    },
  })
}

describe('a server and hostile peers', { timeout: 60_000 }, () => {
  let at: Attacked
  before(
    async () => {
      at = await attacked()
    },
    { timeout: 20_000 },
  )
  after(
    async () => {
      try {
        await at.close()
      } finally {
        await at[Symbol.asyncDispose]()
      }
    },
    { timeout: 20_000 },
  )

  for (const hostile of hostileBytes(known)) {
    it(`answers ${hostile.what}`, async () => {
      await attack(at.target, hostile, known)
      await at.other.more(10)
    })
  }

  it('answers a call that comes one byte a packet', async () => {
    using peer = await rawPeer(at.target)
    for (const byte of Buffer.concat([preface(), goodCall(1, known)])) await peer.send(Uint8Array.of(byte))
    await peer.hears({ kind: 'reply', id: 1 })
  })

  it('takes 1,000 silent connections, and of more closes the oldest', async () => {
    using silent = await peers(at.target, 1000)
    await at.other.more(100)
    const state = await at.holds(24)
    assert.equal(state.silent, 1000)
    using more = await peers(at.target, 50)
    await Promise.all(silent.slice(0, 50).map((peer) => peer.hears({ kind: 'gone' })))
    assert.ok(more.every((peer) => !peer.gone))
  })

  it('answers 300 slow ones', async () => {
    using slow = await peers(at.target, 300)
    const [head, tail] = [preface(), goodCall(1, known)]
    const pieces = Array.from({ length: 16 }, (_, i) => {
      const size = Math.ceil(head.length / 16)
      return head.subarray(i * size, (i + 1) * size)
    })
    for (const piece of [...pieces, ...Array.from(tail, (byte) => Uint8Array.of(byte))]) {
      await Promise.all(slow.map((peer) => peer.send(piece)))
      await at.other.more(1)
    }
    await Promise.all(slow.map((peer) => peer.hears({ kind: 'reply', id: 1 })))
    await at.holds(24)
  })

  for (const [what, bytes, count] of [
    ['many large', 1 << 20, 300],
    ['very many small', 50_000, 2000],
  ] as const) {
    it(`holds little for one who asks for ${what} replies and never reads`, async () => {
      using peer = await rawPeer(at.target)
      peer.socket.pause()
      const asks = Array.from({ length: count }, (_, i) => call(i + 1, to('bytes'), encoded([bytes])))
      await peer.send(Buffer.concat([preface(), ...asks]))
      await at.other.more(200)
      await at.holds(40)
      // Now it reads: either it was closed, or what was too much has an error.
      peer.socket.resume()
      const over = await Promise.race([peer.hears({ kind: 'gone' }), peer.hears({ kind: 'error' })])
      if (over.kind === 'error') assert.equal(over.code, 'resource_exhausted')
    })
  }

  it('lets 10,000 calls be cancelled at once', async () => {
    await at.service.letGo()
    using peer = await rawPeer(at.target)
    const attempts = Array.from({ length: 10_000 }, (_, i) => [
      call(i + 1, to('wait'), encoded([])),
      frame(frameTypes.cancel, i + 1, Uint8Array.of(1, 0)),
    ])
    await peer.send(Buffer.concat([preface(), ...attempts.flat()]))
    await peer.send(goodCall(10_001, known))
    await peer.hears({ kind: 'reply', id: 10_001 })
    await at.holds(16)
  })

  it('runs few handlers that do not heed it when 10,000 calls are cancelled', async () => {
    await at.service.letGo()
    using peer = await rawPeer(at.target)
    const attempts = Array.from({ length: 10_000 }, (_, i) => [
      call(i + 1, to('stubborn'), encoded([])),
      frame(frameTypes.cancel, i + 1, Uint8Array.of(1, 0)),
    ])
    await peer.send(Buffer.concat([preface(), ...attempts.flat()]))
    assert.equal((await peer.hears({ kind: 'error', id: 10_000 })).code, 'resource_exhausted')
    await at.holds(16)
    assert.equal(await at.service.letGo(), 1224)
    await peer.send(goodCall(10_001, known))
    await peer.hears({ kind: 'reply', id: 10_001 })
  })

  it('takes hostile names from its client as names like any other', async () => {
    const { service, client } = at
    const value = Object.fromEntries(hostileNames.map((name) => [name, { polluted: name }]))
    // More than once: shapes that come again travel, and are read, in another way.
    for (let i = 0; i < 100; i++) assert.deepEqual(await service.echo(value), value)
    const map = new Map<string, unknown>(hostileNames.map((name) => [name, { [name]: 1 }]))
    assert.deepEqual(await service.echo(map), map)
    const names = hostileNames.map((name) => name.toLowerCase())
    const metadata = Object.fromEntries(names.map((name) => [name, `of ${name}`]))
    assert.deepEqual(
      (await service.$with({ metadata }).metadata()).filter(([name]) => names.includes(name)),
      Object.entries(metadata),
    )
    for (const name of hostileNames) {
      const named = service.$named as unknown as Record<string, (args: object) => Promise<unknown>>
      await fails('invalid_argument', () => named['echo']?.(Object.fromEntries([[name, 1]])))
      // Such a service cannot be: the client says so without asking anyone.
      const nobody = (): Record<string, () => Promise<unknown>> => client.service(name)
      await fails('invalid_argument', async () => nobody()['add']?.())
      const method = (service as unknown as Record<string, unknown>)[name]
      if (typeof method === 'function') await fails('not_found', () => method())
    }
  })
})

async function fails(code: string, act: () => unknown): Promise<void> {
  try {
    await act()
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error))
    assert.equal(error.code, code, error.message)
    return
  }
  assert.fail(`no error where ${code} was due`)
}

// A peer that says nothing more cannot be told from a slow one but by time: these limits are short.
const shortLimits = { firstMessageTimeoutMs: 200, keepaliveMs: 200, keepaliveTimeoutMs: 200 }

it('lets go of peers that stop in the middle', { timeout: 30_000 }, async () => {
  await using at = await attacked(shortLimits)
  const whole = Buffer.concat([preface(), goodCall(1, known)])
  const start = preface().length
  const ends = [1, 5, 8, 10, 12, 60, start - 1, start + 2, start + 4, start + 5, start + 8, whole.length - 1]
  await Promise.all(
    ends.map(async (end) => {
      using peer = await rawPeer(at.target)
      await peer.send(whole.subarray(0, end))
      await peer.hears({ kind: 'gone' })
    }),
  )
  using parts = await rawPeer(at.target)
  await parts.send(Buffer.concat([preface(), frame(frameTypes.part, 1, new Uint8Array(50_000))]))
  await parts.hears({ kind: 'gone' })
  // One who does not read its answers does not read pings either.
  using deaf = await rawPeer(at.target)
  deaf.socket.pause()
  const asks = Array.from({ length: 50 }, (_, i) => call(i + 1, to('bytes'), encoded([1 << 20])))
  await deaf.send(Buffer.concat([preface(), ...asks]))
  await at.allGone()
  await at.close()
})
