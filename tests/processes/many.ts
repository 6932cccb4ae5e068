import { serve, service, stopOnSignals } from 'farcall'

// A server of as many services as it is told, each of which knows its number; and of what many ask for at once.
const [registry = '', count = '0'] = process.argv.slice(2)
let open = 0
let mostOpen = 0

const load = service('load', {
  add: (a: number, b: number) => a + b,
  /** Gives its number, and a second item only when `among` such streams are open at once. */
  async *together(n: number, among: number) {
    mostOpen = Math.max(mostOpen, ++open)
    try {
      yield n
      while (mostOpen < among) await new Promise((resolve) => setImmediate(resolve))
      yield -n
    } finally {
      open--
    }
  },
  open: () => open,
})
export type Load = typeof load

const numbered = Array.from({ length: Number(count) }, (_, n) =>
  service(`numbered-${n}`, { number: () => n }),
)
const server = await serve([load, ...numbered], { port: 0, ...(registry !== '' && { registry }) })
stopOnSignals([server])
await server.registered
console.log(`ready ${server.targets[0]}`)
