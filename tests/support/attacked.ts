import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { type Client, connect, type FarcallClient, type Limits } from 'farcall'
import { type Bystander, bystander } from './bystander.ts'
import { start } from './process.ts'

/** How the server is. */
export interface State {
  readonly heldMiB: number
  readonly rssMiB: number
  readonly prototypes: string
  readonly open: number
  readonly silent: number
  readonly inFlight: number
}

/** The service of processes/hostile-target.ts. */
export interface Target {
  add(a: number, b: number): number
  echo(value: unknown): unknown
  metadata(): [string, string][]
  letGo(): number
  state(): State
}

/** A server in a process of its own, and somebody who calls it all the while. */
export interface Attacked extends AsyncDisposable {
  readonly target: string
  readonly client: FarcallClient
  readonly service: Client<Target>
  readonly other: Bystander
  /** What the server holds must not have grown by more. */
  holds(atMostMiB: number): Promise<State>
  /** Asks until only the client's connection is left. */
  allGone(): Promise<void>
  /** Nothing has happened to anybody, and it ends in good order. */
  close(): Promise<void>
}

/** Starts it; with `everything` it speaks every protocol on its port, otherwise only our own. */
export async function attacked(
  limits: Partial<Limits> = {},
  options: { readonly everything?: boolean } = {},
): Promise<Attacked> {
  await using stack = new AsyncDisposableStack()
  const file = fileURLToPath(new URL('../processes/hostile-target.ts', import.meta.url))
  const speaking = options.everything === true ? 'everything' : 'farcall'
  const flags = ['--expose-gc', '--conditions=@farcall/source']
  const server = stack.use(start(process.execPath, [...flags, file, JSON.stringify(limits), speaking]))
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

  async function holds(atMostMiB: number): Promise<State> {
    let state = await service.state()
    // What a collection has found unused is given back in the background: a look may come before that.
    for (let looks = 0; looks < 20 && state.heldMiB - first.heldMiB >= atMostMiB; looks++)
      state = await service.state()
    const grown = state.heldMiB - first.heldMiB
    assert.ok(grown < atMostMiB, `the server holds ${grown.toFixed(1)} MiB more than before`)
    return state
  }

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
