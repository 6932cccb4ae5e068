import { createHash } from 'node:crypto'
import { currentCall, type Limits, serve, service, stopOnSignals } from 'farcall'

// A server that is attacked, and tells how it is. Run with --expose-gc. Takes its limits as JSON, and which protocols it
// speaks: `farcall`, or `everything`.
const limits = JSON.parse(process.argv[2] ?? '{}') as Partial<Limits>
const collect = globalThis.gc ?? (() => {})
let started = 0
let release: (() => void)[] = []

// What a polluted prototype would show in every object of the process.
function prototypes(): string {
  const names = [Object, Array, Function, Map, String].map(({ prototype }) => Reflect.ownKeys(prototype))
  return createHash('sha256').update(names.flat().map(String).join()).digest('hex')
}

const target = service('target', {
  add: (a: number, b: number) => a + b,
  echo: (value: unknown) => value,
  metadata: () => [...(currentCall()?.metadata ?? [])],
  bytes: (count: number) => new Uint8Array(count),
  /** Ends when it is cancelled, as it should. */
  wait() {
    started++
    const { signal } = currentCall() ?? {}
    return new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
  },
  /** Does not care whether it is cancelled. */
  stubborn() {
    started++
    return new Promise<void>((resolve) => release.push(resolve))
  },
  /** How many have started since this was asked; lets those go that hold on. */
  letGo() {
    for (const resolve of release) resolve()
    release = []
    const count = started
    started = 0
    return count
  },
  state() {
    collect()
    const { heapUsed, external, rss } = process.memoryUsage()
    const { connections, inFlight } = server.stats()
    return {
      heldMiB: (heapUsed + external) / 2 ** 20,
      rssMiB: rss / 2 ** 20,
      prototypes: prototypes(),
      open: connections.open,
      silent: connections.silent,
      inFlight,
    }
  },
})

const only = process.argv[3] === 'everything' ? {} : { protocols: ['farcall'] }
const server = await serve([target], { port: 0, limits, ...only })
stopOnSignals([server])
console.log(`ready ${server.targets[0]}`)
