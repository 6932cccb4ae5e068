import { currentCall, serve, service, startRegistry } from 'farcall'

// What is attacked: a server, or a registry (`victim.ts registry`). It tells how it is, to whoever asks politely.
const [what = 'server'] = process.argv.slice(2)
let started = 0
let unhandled = 0
process.on('unhandledRejection', () => unhandled++)
const builtIn = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))

const victim = service('victim', {
  echo: (value: unknown) => value,
  named: (a: unknown, b: unknown = 'default') => [a, b],
  text: (bytes: number) => 'x'.repeat(bytes),
  metadata: () => [...(currentCall()?.metadata ?? [])],
  hang() {
    started++
    return new Promise(() => {})
  },
  async *flood() {
    started++
    for (;;) yield 'x'.repeat(10_000)
  },
  total: async (items: AsyncIterable<unknown>) => {
    let total = 0
    for await (const _ of items) total++
    return total
  },
  state() {
    globalThis.gc?.()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return {
      heldMiB: (heapUsed + arrayBuffers) / 2 ** 20,
      started,
      unhandled,
      isPrototypeUnchanged: JSON.stringify(Object.getOwnPropertyNames(Object.prototype)) === builtIn,
      // The one that asks is open, and its question in flight.
      connections: server.stats().connections.open - 1,
      inFlight: server.stats().inFlight - 1,
    }
  },
})
export type Victim = typeof victim

// Patience of hours would make for tests of hours.
const limits = { firstMessageTimeoutMs: 500, keepaliveMs: 400, keepaliveTimeoutMs: 400 }
const server =
  what === 'registry'
    ? (await startRegistry({ port: 0, limits })).server
    : await serve([victim], { port: 0, limits })
if (what === 'registry') server.add(victim)
console.log(`ready ${server.targets[0]}`)
