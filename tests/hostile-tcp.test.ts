import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { after, before, describe, it } from 'node:test'
import { type Client, connect, type Limits, RpcError } from 'farcall'
import { frameTypes } from '../src/protocols/farcall/frames.ts'
import { attack } from './support/attack.ts'
import { type Bystander, bystander } from './support/bystander.ts'
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
import { start } from './support/process.ts'
import { type RawPeer, rawPeer } from './support/raw-peer.ts'

interface State {
  readonly heldMiB: number
  readonly rssMiB: number
  readonly prototypes: string
  readonly open: number
  readonly silent: number
  readonly inFlight: number
}

interface Target {
  add(a: number, b: number): number
  echo(value: unknown): unknown
  metadata(): [string, string][]
  letGo(): number
  state(): State
}

const known: Known = { service: 'target', method: 'add', args: [1, 2] }
const to = (method: string) => ({ service: 'target', method })

// A server in a process of its own, and somebody who calls it all the while.
async function attacked(limits: Partial<Limits> = {}) {
  await using stack = new AsyncDisposableStack()
  const file = fileURLToPath(new URL('processes/hostile-target.ts', import.meta.url))
  const flags = ['--expose-gc', '--conditions=@farcall/source']
  const server = stack.use(start(process.execPath, [...flags, file, JSON.stringify(limits)]))
  const target = (await server.line(/ready (\S+)/))[1] as string
  const client = stack.use(connect(target))
  const service: Client<Target> = client.service<Target>('target')
  const other: Bystander = stack.use(
    bystander(async (n) => {
      assert.equal(await service.add(n, 1), n + 1)
    }),
  )
  await other.more(1000)
  const first = await service.state()
  const all = stack.move()

  /** What the server holds must not have grown by more. */
  async function holds(atMostMiB: number): Promise<State> {
    let state = await service.state()
    // What a collection has found unused is given back in the background: a look may come before that.
    for (let looks = 0; looks < 20 && state.heldMiB - first.heldMiB >= atMostMiB; looks++)
      state = await service.state()
    const grown = state.heldMiB - first.heldMiB
    assert.ok(grown < atMostMiB, `the server holds ${grown.toFixed(1)} MiB more than before`)
    return state
  }

  /** Asks until only the client's connection is left. */
  async function allGone(): Promise<void> {
    while ((await service.state()).open > 1);
  }

  return {
    target,
    client,
    service,
    other,
    holds,
    allGone,
    /** Nothing has happened to anybody, and it ends in good order. */
    async close() {
      await other.more(100)
      await allGone()
      const state = await holds(12)
      assert.equal(state.prototypes, first.prototypes)
      // The call that asks is one.
      assert.ok(state.inFlight <= 3, `${state.inFlight} calls are in flight`)
      await other.stop()
      await client[Symbol.asyncDispose]()
      assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null }, server.output)
      assert.doesNotMatch(server.output, /uncaught|unhandled|TypeError|RangeError/i)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

type Attacked = Awaited<ReturnType<typeof attacked>>

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
