import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect } from 'farcall'
import { startProgram } from './support/process.ts'

export interface Item {
  readonly n: number
  readonly text: string
}

export interface Producer {
  items(count: number): AsyncIterable<Item>
  sum(items: AsyncIterable<Item>): Promise<number>
  hang(): Promise<void>
  state(): { produced: number; finished: number; peakMiB: number }
}

const count = 1_000_000
const expectedSum = (count * (count - 1)) / 2
// A bare process of this kind has about 10 MiB of heap; items that piled up would take well over 100.
const boundMiB = 64
// What is garbage already counts as heap until it is collected, on a busy machine late: so much heap there is not. Items that
// piled up would end the process.
const littleGarbage = { NODE_OPTIONS: '--max-semi-space-size=4 --max-old-space-size=48' }

async function producer() {
  const server = startProgram('processes/producer.ts', [], littleGarbage)
  const target = (await server.line(/ready (\S+)/))[1] as string
  return { server, target }
}

for (const what of ['take', 'send'] as const) {
  it(`a stream of ${count} items against a slow consumer keeps both heaps small (${what})`, async (t) => {
    const { server, target } = await producer()
    await using _server = server
    const args = [target, what, String(count)]
    await using consumer = startProgram('processes/consumer.ts', args, littleGarbage)
    const found = JSON.parse((await consumer.line(/\{.*\}/))[0]) as { sum: number; peakMiB: number }
    await using client = connect(target)
    const state = await client.service<Producer>('producer').state()
    assert.equal(found.sum, expectedSum)
    t.diagnostic(`heap peaks: client ${found.peakMiB.toFixed(1)} MiB, server ${state.peakMiB.toFixed(1)} MiB`)
    assert.ok(found.peakMiB < boundMiB, `the client's heap grew to ${found.peakMiB} MiB`)
    assert.ok(state.peakMiB < boundMiB, `the server's heap grew to ${state.peakMiB} MiB`)
  })
}

it('a client that is killed ends what it had asked for: 100 calls and 100 streams', async () => {
  const { server, target } = await producer()
  await using _server = server
  const consumer = startProgram('processes/consumer.ts', [target, 'die', String(count)])
  await using _consumer = consumer
  await consumer.line(/waiting/)
  await using client = connect(target)
  const service = client.service<Producer>('producer')
  const before = (await service.state()).finished
  assert.equal(before, 100, 'the streams that were left have run their finally')
  await consumer.stop('SIGKILL')
  const startedAt = performance.now()
  while ((await service.state()).finished < before + 200) {
    assert.ok(
      performance.now() - startedAt < 1000,
      `only ${(await service.state()).finished - before} of 200 have ended within a second`,
    )
  }
})
