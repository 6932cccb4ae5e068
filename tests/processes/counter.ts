import { method, serve, service, stopOnSignals } from 'farcall'

// A server whose calls take a moment, so that there are always some in flight; it counts what it has executed.
const [registry = '', id = 'counter'] = process.argv.slice(2)
const seen = new Set<string>()
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const counter = service('counter', {
  async increment(key: string) {
    if (seen.has(key)) throw new Error(`${key} was executed twice here`)
    seen.add(key)
    await pause(5)
    return id
  },
  read: method({ idempotent: true }, async () => {
    await pause(5)
    return id
  }),
  executed: () => [...seen],
  async *ticks() {
    for (let i = 0; ; i++) {
      yield i
      await pause(1)
    }
  },
})

const server = await serve([counter], { port: 0, id, registry })
stopOnSignals([server])
await server.registered
console.log(`ready ${server.targets[0]}`)
