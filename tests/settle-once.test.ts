import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { program } from './support/random-program.ts'
import { run } from './support/random-run.ts'

// Random programs of calls on a network that breaks at random, in virtual time. Whatever happens: every call settles
// exactly once and in time, what must not be repeated is not, and afterwards nothing is left on either side.

async function withoutUnhandled(work: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    await work()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note)
  }
  assert.deepEqual(unhandled, [], 'unhandled rejections')
}

const numRuns = Number(process.env['FARCALL_RUNS'] ?? 60)

it('every call settles exactly once and in time, whatever the network does, and nothing is left', () =>
  withoutUnhandled(() =>
    fc.assert(
      fc.asyncProperty(program(40), fc.nat(), async (steps, seed) => {
        await run(steps, seed)
      }),
      { numRuns },
    ),
  ))

it('the same seed gives the same run', () =>
  withoutUnhandled(() =>
    fc.assert(
      fc.asyncProperty(program(30), fc.nat(), async (steps, seed) => {
        assert.deepEqual(await run(steps, seed), await run(steps, seed))
      }),
      { numRuns: Math.ceil(numRuns / 10) },
    ),
  ))
