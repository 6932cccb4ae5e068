// h: how long small calls take while replies of 4 MiB come over the same connection. beside.ts [ms]
import { connect, serve, service } from '../../src/node.ts'
import { isChild, startOwnServer, tellParent } from './own-server.ts'

const bigBytes = 4 * 1024 * 1024
// A message is the bytes and a few more.
const limits = { maxMessageBytes: bigBytes + 1024 }

const big = new Uint8Array(bigBytes).fill(7)
const beside = service('beside', { small: (n: number) => n, big: () => big })

/** Of small calls, one at a time, in µs. */
export interface BesideResult {
  readonly aloneP50: number
  readonly aloneP99: number
  readonly besideP50: number
  readonly besideP99: number
  readonly bigPerSecond: number
}

async function measure(address: string, windowMs: number): Promise<BesideResult> {
  await using client = connect(address, { limits })
  const { small, big } = client.service<typeof beside>('beside')
  let bigCount = 0
  const smallCalls = async (ms: number): Promise<Float64Array> => {
    const samples: number[] = []
    const until = performance.now() + ms
    for (let n = 0; performance.now() < until; n++) {
      const at = performance.now()
      if ((await small(n)) !== n) throw new Error('a result was wrong')
      samples.push(performance.now() - at)
    }
    return Float64Array.from(samples).sort()
  }
  await smallCalls(windowMs / 2)
  await big()
  const alone = await smallCalls(windowMs)
  const window = { isOver: false }
  const bigCalls = (async () => {
    for (; !window.isOver; bigCount++) {
      if ((await big()).length !== bigBytes) throw new Error('a result was wrong')
    }
  })()
  const mixed = await smallCalls(windowMs)
  window.isOver = true
  await bigCalls
  const at = (samples: Float64Array, share: number) =>
    Math.round((samples[Math.floor(samples.length * share)] as number) * 1000)
  return {
    aloneP50: at(alone, 0.5),
    aloneP99: at(alone, 0.99),
    besideP50: at(mixed, 0.5),
    besideP99: at(mixed, 0.99),
    bigPerSecond: Math.round((bigCount / windowMs) * 1000),
  }
}

if (isChild()) {
  const server = await serve([beside], { port: 0, limits })
  tellParent({ address: server.targets[0] })
} else {
  await using server = await startOwnServer('special/beside.ts')
  console.log(JSON.stringify(await measure(server.first.address, Number(process.argv[2] ?? 2000))))
}
