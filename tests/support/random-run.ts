import assert from 'node:assert/strict'
import { method, RpcError, type Server, service } from 'farcall'
import { hosts, type Kind, type Step } from './random-program.ts'
import { createVirtualWorld, type VirtualWorld } from './virtual.ts'

// Programs of calls on a network that breaks, for settle-once.test.ts.

// Enough to go in parts at times; not more, since a network may deliver it byte by byte.
const largeBytes = 3_000

interface Made {
  readonly id: string
  readonly kind: Kind
  /** By when it must have settled; Infinity for a stream that has begun and has no time-out. */
  dueAt: number
  readonly abort: AbortController
  leave: boolean
  settled: number
}

class Run {
  readonly world: VirtualWorld
  readonly trace: string[] = []
  readonly problems: string[] = []
  readonly made: Made[] = []
  readonly executed = new Map<string, number>()
  /** Generators, of servers and of arguments, that have begun and not run their `finally`. */
  readonly open = new Set<string>()
  readonly heals: (() => void)[] = []
  readonly servers = new Map<string, Server>()
  readonly everyServer: Server[] = []
  readonly closing: Promise<unknown>[] = []
  readonly client

  constructor(seed: number) {
    this.world = createVirtualWorld(seed)
    this.client = this.world.at('client').connect(hosts.map((host) => `memory:${host}`))
  }

  note(what: string): void {
    this.trace.push(`${this.world.clock.now()} ${what}`)
  }

  // Within a reply there is nobody to throw to.
  #check(holds: boolean, what: string): void {
    if (!holds) this.problems.push(`${this.world.clock.now()} ${what}`)
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.clock.after(ms, resolve))
  }

  async start(host: string): Promise<void> {
    if (this.servers.has(host)) return
    const server = await this.world
      .at(host)
      .serve([this.#service(host)], { listen: `memory:${host}`, drainTimeoutMs: 200 })
    this.servers.set(host, server)
    this.everyServer.push(server)
  }

  #service(host: string) {
    const begin = (id: string) => {
      this.executed.set(id, (this.executed.get(id) ?? 0) + 1)
      this.note(`${id} begins at ${host}`)
    }
    const inside = async function* (this: Run, id: string, items: () => AsyncGenerator<unknown>) {
      const name = `${id} at ${host}`
      this.open.add(name)
      try {
        yield* items()
      } finally {
        this.open.delete(name)
      }
    }.bind(this)
    const { pause } = { pause: (ms: number) => this.pause(ms) }
    return service('work', {
      quick: (id: string, _size: number) => begin(id),
      async slow(id: string, size: number) {
        begin(id)
        await pause(size * 10)
      },
      idempotent: method({ idempotent: true }, async (id: string, size: number) => {
        begin(id)
        await pause(size)
      }),
      items(id: string, size: number) {
        begin(id)
        return inside(id, async function* () {
          for (let n = 0; n < size; n++) {
            await pause(n % 7)
            yield n
          }
        })
      },
      endless(id: string, size: number) {
        begin(id)
        return inside(id, async function* () {
          for (let n = 0; ; n++) {
            await pause(1 + size)
            yield n
          }
        })
      },
      async total(id: string, numbers: AsyncIterable<number>) {
        begin(id)
        let total = 0
        for await (const n of numbers) total += n
        return total
      },
      both(id: string, numbers: AsyncIterable<number>) {
        begin(id)
        return inside(id, async function* () {
          for await (const n of numbers) yield n
        })
      },
      large(id: string, size: number) {
        begin(id)
        return 'x'.repeat(size * largeBytes)
      },
      fail(id: string, _size: number) {
        begin(id)
        throw new RpcError('aborted', 'on purpose')
      },
    })
  }

  #numbers(id: string, size: number): AsyncGenerator<number> {
    const name = `argument of ${id}`
    const { open } = this
    const pause = (ms: number) => this.pause(ms)
    return (async function* () {
      open.add(name)
      try {
        for (let n = 0; n < size; n++) {
          await pause(n % 5)
          yield n
        }
      } finally {
        open.delete(name)
      }
    })()
  }

  call(kind: Kind, timeoutMs: number | undefined, size: number): void {
    const { clock } = this.world
    const id = `${kind}-${this.made.length}`
    const abort = new AbortController()
    const one: Made = {
      id,
      kind,
      dueAt: clock.now() + (timeoutMs ?? 10_000),
      abort,
      leave: false,
      settled: 0,
    }
    this.made.push(one)
    const work = (this.client.service('work') as any).$with({
      signal: abort.signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
    const settle = (how: string) => {
      one.settled++
      this.note(`${id} settles: ${how}`)
      assert.ok(
        clock.now() <= one.dueAt + 100,
        `${id} settled ${clock.now() - one.dueAt} ms after its deadline`,
      )
    }
    const failed = (error: unknown) => {
      this.#check(RpcError.is(error), `${id}: no RpcError: ${String(error)}`)
      settle((error as RpcError).code)
    }
    const take = async (items: AsyncIterable<number>) => {
      let next = 0
      for await (const n of items) {
        // Nothing is lost, doubled or out of order; from the first item on, only an explicit time-out bounds it.
        this.#check(n === next++, `${id}: item ${n} is not ${next - 1}`)
        if (timeoutMs === undefined) one.dueAt = Number.POSITIVE_INFINITY
        if (one.leave) break
      }
    }
    const done = () => settle('done')
    switch (kind) {
      case 'items':
      case 'endless':
        return void take(work[kind](id, size)).then(done, failed)
      case 'both':
        return void take(work.both(id, this.#numbers(id, size))).then(done, failed)
      case 'total':
        return void work.total(id, this.#numbers(id, size)).then((total: number) => {
          this.#check(total === Math.max(0, (size * (size - 1)) / 2), `${id}: ${total}`)
          done()
        }, failed)
      case 'large':
        return void work.large(id, size).then((text: string) => {
          this.#check(text.length === size * largeBytes, `${id}: ${text.length} characters`)
          done()
        }, failed)
      case 'send':
        return void work.$send.quick(id, size).then(done, failed)
      case 'everyone':
        return void work.$broadcast().idempotent(id, size).then(done, failed)
      default:
        return void work[kind](id, size).then(done, failed)
    }
  }

  async do(step: Step): Promise<void> {
    const { network, clock } = this.world
    switch (step.do) {
      case 'call':
        return this.call(step.kind, step.timeoutMs, step.size)
      case 'cancel':
        return this.made[step.which]?.abort.abort()
      case 'leave': {
        const one = this.made[step.which]
        if (one !== undefined) one.leave = true
        return
      }
      case 'advance':
        return clock.advance(step.ms)
      case 'cut':
      case 'freeze':
      case 'blackhole':
      case 'end': {
        const connection = network.connections.at(-1 - (step.which % 4))
        const lane = step.up ? connection?.toListener : connection?.toDialer
        if (step.do === 'cut') lane?.cutAfter(lane.passed + step.bytes)
        else if (step.do === 'end') lane?.endNow()
        else lane?.[step.do]()
        return
      }
      case 'reset':
        return network.connections.at(-1 - (step.which % 4))?.reset()
      case 'thaw':
        return this.#thaw()
      case 'network':
        // Each byte with a delay of its own would be a timer for each byte.
        return network.set({
          latencyMs: step.latencyMs,
          jitterMs: step.cut === 'everywhere' ? 0 : step.jitterMs,
          cut: step.cut,
        })
      case 'partition':
        return void this.heals.push(network.partition('client', hosts[step.host] ?? 'one'))
      case 'refuse':
        return void this.heals.push(network.refuse(hosts[step.host] as string))
      case 'heal':
        return this.#heal()
      case 'drain':
        return void this.servers.get(hosts[step.host] as string)?.drain()
      case 'stop': {
        const host = hosts[step.host] as string
        const server = this.servers.get(host)
        this.servers.delete(host)
        if (server !== undefined) this.closing.push(server.close())
        return
      }
      case 'start': {
        // A name that is still taken, because the server before is draining, is no matter here.
        await this.start(hosts[step.host] as string).catch(() => {})
        return
      }
      case 'close':
        return void this.closing.push(this.client.close({ graceMs: step.graceMs }))
    }
  }

  #heal(): void {
    for (const heal of this.heals.splice(0)) heal()
  }

  #thaw(): void {
    for (const { toListener, toDialer } of this.world.network.connections) {
      for (const lane of [toListener, toDialer]) {
        lane.freeze(false)
        lane.blackhole(false)
      }
    }
  }

  /** Lets everything end, and looks at what is left. */
  async finish(): Promise<void> {
    const { clock, network } = this.world
    await clock.advance(10_100)
    const late = this.made.filter(({ settled, dueAt }) => settled === 0 && dueAt < clock.now())
    assert.deepEqual(
      late.map(({ id }) => id),
      [],
      'not settled in time',
    )
    // Keepalive finds out about connections through which nothing comes.
    this.closing.push(
      this.client.close(),
      ...[...this.servers.values()].map((server) => server.close({ graceMs: 0 })),
    )
    await clock.advance(50_000)
    assert.deepEqual(
      this.made.filter(({ settled }) => settled !== 1).map(({ id, settled }) => `${id}: ${settled}`),
      [],
      'settled not exactly once',
    )
    this.#heal()
    this.#thaw()
    await clock.advance(60_000)
    await Promise.all(this.closing)

    assert.deepEqual(this.problems, [])
    const repeated = [...this.executed].filter(
      ([id, times]) => times > 1 && !/^(idempotent|everyone)/.test(id),
    )
    assert.deepEqual(repeated, [], 'executed more than once')
    assert.deepEqual([...this.open], [], 'generators that were not ended')
    const { pendingCalls, endpoints, state } = this.client.status()
    assert.deepEqual([pendingCalls, endpoints.length, state], [0, 0, 'closed'])
    for (const server of this.everyServer) {
      const { inFlight, connections } = server.stats()
      assert.deepEqual([server.state, inFlight, connections.open], ['closed', 0, 0])
    }
    assert.deepEqual([clock.deadlines.size, clock.timers], [0, 0], 'deadlines and timers that are left')
    assert.ok(network.connections.length < 200, `${network.connections.length} connections were made`)
    assert.deepEqual(
      this.world.log.filter(({ level }) => level === 'error'),
      [],
    )
  }
}

/** Runs one, and looks at what is left. Resolves with what happened, and when. */
export async function run(steps: readonly Step[], seed: number): Promise<string[]> {
  const one = new Run(seed)
  for (const host of hosts) await one.start(host)
  for (const step of steps) await one.do(step)
  await one.finish()
  return one.trace
}
