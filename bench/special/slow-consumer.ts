// e, the other half: whether a producer of 1,000,000 items stays small when its consumer is slow. slow-consumer.ts
import { connect, serve, service } from '../../src/node.ts'
import { isChild, startOwnServer, tellParent } from './own-server.ts'

const items = 1_000_000
const text = 'an item of a stream that somebody reads slowly'

const slow = service('slow', {
  async *produce(count: number) {
    for (let i = 0; i < count; i++) yield { i, text }
  },
  heap() {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  },
})

/** Bytes of heap, after collection. */
export interface SlowConsumerResult {
  readonly items: number
  readonly seconds: number
  readonly producerHeapBefore: number
  readonly producerHeapMost: number
  readonly consumerHeapBefore: number
  readonly consumerHeapMost: number
}

async function measure(address: string): Promise<SlowConsumerResult> {
  await using client = connect(address)
  await using asking = connect(address)
  const { produce } = client.service<typeof slow>('slow')
  const { heap } = asking.service<typeof slow>('slow')
  const ownHeap = () => {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  }
  for await (const _ of produce(10_000));
  const [producerHeapBefore, consumerHeapBefore] = [await heap(), ownHeap()]
  let [producerHeapMost, consumerHeapMost] = [producerHeapBefore, consumerHeapBefore]
  const startedAt = performance.now()
  let taken = 0
  for await (const { i } of produce(items)) {
    if (i !== taken++) throw new Error('an item was wrong')
    // A producer left to itself makes as many in a millisecond.
    if (taken % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    if (taken % 50_000 === 0) {
      producerHeapMost = Math.max(producerHeapMost, await heap())
      consumerHeapMost = Math.max(consumerHeapMost, ownHeap())
    }
  }
  if (taken !== items) throw new Error(`${taken} items came`)
  const seconds = (performance.now() - startedAt) / 1000
  return { items, seconds, producerHeapBefore, producerHeapMost, consumerHeapBefore, consumerHeapMost }
}

if (isChild()) {
  const server = await serve([slow], { port: 0 })
  tellParent({ address: server.targets[0] })
} else {
  await using server = await startOwnServer('special/slow-consumer.ts')
  console.log(JSON.stringify(await measure(server.first.address)))
}
