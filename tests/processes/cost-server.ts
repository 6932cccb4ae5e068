// A server that counts what its calls cost it: memory, writes, CPU. Beside it, in the same process, the bare echo that
// it is compared with.
import { peer as raw } from '../../bench/peers/raw.ts'
import { method, serve, service } from '../../src/node.ts'
import { countersNow } from '../support/cost.ts'

const cost = service('cost', {
  add: (a: number, b: number) => a + b,
  counters: method({ context: false }, countersNow),
})
export type CostService = typeof cost

const server = await serve([cost], { port: 0 })
const echo = await raw.start()
console.log(`listening at ${server.targets[0]} and ${echo.address}`)
