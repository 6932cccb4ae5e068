// Counts what calls cost both sides, and prints it as one line of JSON: cost-client.ts <target>.
import { createHook } from 'node:async_hooks'
import { connect } from '../../src/node.ts'
import { allocated, writes } from '../support/cost.ts'
import type { CostService } from './cost-server.ts'

const calls = 100_000
const inFlight = 64

await using client = connect(process.argv[2] as string)
const { add, counters } = client.service<CostService>('cost')

/** What it costs to keep 64 calls in flight, until so many have been made. */
async function makeCalls(count: number): Promise<void> {
  let left = count
  const worker = async () => {
    while (left-- > 0) {
      const n = left
      if ((await add(n, 1)) !== n + 1) throw new Error('a result was wrong')
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

/** The promises made from the making of calls until all have settled; nobody awaits but the last. */
async function countPromises(count: number): Promise<number> {
  let made = 0
  const hook = createHook({
    init(_, type) {
      if (type === 'PROMISE') made++
    },
  })
  hook.enable()
  let last: PromiseLike<number> | undefined
  for (let i = 0; i < count; i++) last = add(i, 1)
  await last
  hook.disable()
  return made
}

await makeCalls(calls)
const before = { own: allocated(), written: writes(), server: await counters() }
await makeCalls(calls)
const after = { own: allocated(), written: writes(), server: await counters() }
const promiseCalls = 200
console.log(
  JSON.stringify({
    clientBytes: (after.own - before.own) / calls,
    serverBytes: (after.server.allocated - before.server.allocated) / calls,
    clientWrites: (after.written - before.written) / calls,
    serverWrites: (after.server.writes - before.server.writes) / calls,
    promises: (await countPromises(promiseCalls)) / promiseCalls,
  }),
)
