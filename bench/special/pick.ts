import { balancers } from '../../src/balancers/index.ts'
import { Call } from '../../src/core/call.ts'
import { seededRandom } from '../../src/core/random.ts'
import { systemClock } from '../../src/core/system-clock.ts'
import { fakeCandidate } from '../../src/testing/fake-candidate.ts'

// j: nanoseconds per pick. What is asked for: at most 300 at 10,000 candidates, and no growth from 1,000 on.
// pick.ts [json]

/** Nanoseconds by balancer, then by number of candidates. */
export type PickResult = Readonly<Record<string, Readonly<Record<string, number>>>>

const sizes = [10, 1_000, 10_000]
const picks = 2_000_000
const random = seededRandom(1)
const calls = Array.from(
  { length: 1_024 },
  (_, i) =>
    new Call({
      clock: systemClock,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: Number.POSITIVE_INFINITY,
      key: `user:${i}`,
    }),
)

const rows: Record<string, Record<string, number>> = {}
for (const [name, balancer] of Object.entries(balancers)) {
  for (const weighted of name === 'p2c' || name === 'round-robin' ? [false] : [false, true]) {
    const row: Record<string, number> = {}
    for (const size of sizes) row[size] = measure(size, weighted)
    rows[weighted ? `${name}, weighted` : name] = row
  }

  function measure(size: number, weighted: boolean): number {
    const candidates = Array.from({ length: size }, (_, i) =>
      fakeCandidate(`c${i}`, {
        weight: weighted ? 1 + (i % 5) : 1,
        load: { latencyMs: 1 + random(), inFlight: i % 7, usedAt: systemClock.now() },
      }),
    )
    const picker = balancer(candidates, { clock: systemClock, random: Math.random })
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 5; round++) {
      const start = performance.now()
      for (let i = 0; i < picks; i++) picker.pick(calls[i % calls.length] as Call)
      best = Math.min(best, ((performance.now() - start) * 1e6) / picks)
    }
    return Math.round(best * 10) / 10
  }
}
if (process.argv[2] === 'json') console.log(JSON.stringify(rows satisfies PickResult))
else console.table(rows)
