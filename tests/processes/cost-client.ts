// Counts what calls cost both sides, and prints it as one line of JSON: cost-client.ts <target> <port of the echo>.
import { createHook } from 'node:async_hooks'
import { peer as raw } from '../../bench/peers/raw.ts'
import { connect } from '../../src/node.ts'
import { type Counters, countersNow } from '../support/cost.ts'
import type { CostService } from './cost-server.ts'

const calls = 100_000
const inFlight = 64
const rounds = 5
const promiseCalls = 200

type Add = (a: number, b: number) => PromiseLike<number>

/** Of all calls together. */
interface Cost {
  readonly client: Counters
  readonly server: Counters
}

const [, , target = '', port = ''] = process.argv
await using client = connect(target)
const { add, counters } = client.service<CostService>('cost')
const echo = await raw.connect(port)

/** Makes calls, always 64 of them in flight. */
async function makeCalls(call: Add): Promise<void> {
  let left = calls
  const worker = async () => {
    while (left-- > 0) {
      const n = left
      if ((await call(n, 1)) !== n + 1) throw new Error('a result was wrong')
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

async function costOf(call: Add): Promise<Cost> {
  const before = { client: countersNow(), server: await counters() }
  await makeCalls(call)
  const after = { client: countersNow(), server: await counters() }
  return {
    client: difference(after.client, before.client),
    server: difference(after.server, before.server),
  }
}

function difference(after: Counters, before: Counters): Counters {
  return {
    allocated: after.allocated - before.allocated,
    writes: after.writes - before.writes,
    cpu: after.cpu - before.cpu,
  }
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

// What comes first is slower, and makes more garbage: the compiler is not done with it.
for (const call of [add, echo.add as Add]) for (let i = 0; i < 2; i++) await makeCalls(call)
const ratios: number[] = []
let ours: Cost | undefined
for (let round = 0; round < rounds; round++) {
  const bare = await costOf(echo.add as Add)
  ours = await costOf(add)
  ratios.push((ours.client.cpu + ours.server.cpu) / (bare.client.cpu + bare.server.cpu))
}
const { client: own, server } = ours as Cost
console.log(
  JSON.stringify({
    clientBytes: own.allocated / calls,
    serverBytes: server.allocated / calls,
    clientWrites: own.writes / calls,
    serverWrites: server.writes / calls,
    promises: (await countPromises(promiseCalls)) / promiseCalls,
    cpuRatios: ratios,
  }),
)
echo.close()
