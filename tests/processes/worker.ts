import { serve, service, stopOnSignals } from 'farcall'

// A server whose weight follows its load, and that can be told to be busy, or to weigh something else.
const [registry = '', id = 'worker'] = process.argv.slice(2)
let busy = false

function spin(): void {
  if (!busy) return
  const end = performance.now() + 10
  while (performance.now() < end);
  setImmediate(spin)
}

const worker = service('worker', {
  who: () => id,
  setBusy(on: boolean) {
    busy = on
    spin()
  },
  setWeight(weight: number) {
    server.setWeight(weight)
  },
})

const adaptWeight = { periodMs: 50, windowMs: 300, updateMs: 100 }
const server = await serve([worker], { port: 0, id, registry, adaptWeight })
stopOnSignals([server])
await server.registered
console.log(`ready ${server.targets[0]}`)
