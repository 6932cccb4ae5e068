import { connect } from 'farcall'
import type { Producer } from '../streams.test.ts'

// Takes a stream slowly, or sends one, and watches its own heap. Prints what it found as JSON.
const [target = '', what = 'take', count = '1000000'] = process.argv.slice(2)
await using client = connect(target)
const producer = client.service<Producer>('producer')
let peakBytes = 0
let sum = 0
const look = (n: number) => {
  if ((n & 0x3ff) === 0) peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed)
}

if (what === 'take') {
  for await (const { n } of producer.items(Number(count))) {
    sum += n
    look(n)
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
} else if (what === 'send') {
  async function* items() {
    for (let n = 0; n < Number(count); n++) {
      look(n)
      yield { n, text: 'an item of a long stream' }
    }
  }
  sum = await producer.$with({ timeoutMs: 300_000 }).sum(items())
} else {
  // Dies in the middle: 100 calls are waiting, and 100 streams are open.
  for (let i = 0; i < 100; i++)
    producer
      .$with({ timeoutMs: 300_000 })
      .hang()
      .catch(() => {})
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      for await (const { n } of producer.items(Number(count))) if (n === 10) break
    }),
  )
  console.log('in the middle')
  const streams = Array.from({ length: 100 }, () => producer.items(Number(count))[Symbol.asyncIterator]())
  await Promise.all(streams.map((stream) => stream.next()))
  console.log('waiting')
  await new Promise(() => setInterval(() => {}, 1000))
}
console.log(JSON.stringify({ sum, peakMiB: peakBytes / 2 ** 20 }))
