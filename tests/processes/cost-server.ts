// A server that counts what its calls cost it: memory and writes.
import { method, serve, service } from '../../src/node.ts'
import { allocated, writes } from '../support/cost.ts'

const cost = service('cost', {
  add: (a: number, b: number) => a + b,
  // Its own call is not what is measured; the counters are read as it comes in.
  counters: method({ context: false }, () => ({ allocated: allocated(), writes: writes() })),
})
export type CostService = typeof cost

const server = await serve([cost], { port: 0 })
console.log(`listening at ${server.targets[0]}`)
