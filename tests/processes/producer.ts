import { currentCall, serve, service, stopOnSignals } from 'farcall'

// Makes as many items as it is asked for, as fast as it may, and watches its own heap.
let produced = 0
let finished = 0
let peakBytes = 0

const producer = service('producer', {
  async *items(count: number) {
    try {
      for (let i = 0; i < count; i++) {
        if ((produced++ & 0x3ff) === 0) peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed)
        yield { n: i, text: 'an item of a long stream' }
      }
    } finally {
      finished++
    }
  },
  async sum(items: AsyncIterable<{ n: number }>) {
    let sum = 0
    for await (const { n } of items) {
      sum += n
      // A consumer that takes a turn for each hundred.
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      if ((n & 0x3ff) === 0) peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed)
    }
    return sum
  },
  async hang() {
    const { signal } = currentCall() ?? {}
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    finished++
  },
  state: () => ({ produced, finished, peakMiB: peakBytes / 2 ** 20 }),
})

const server = await serve([producer], { port: 0 })
stopOnSignals([server])
console.log(`ready ${server.targets[0]}`)
