import { ratioOf, type Results, type SpecialResults, summaryOf } from './results.ts'
import { type Spread, spread } from './stats.ts'

export type Verdict = 'reached' | 'not reached' | 'not measured'

/** One thing that Farcall is to reach, and how far it is. */
export interface TargetRow {
  readonly scenario: string
  readonly what: string
  readonly target: string
  readonly found: string
  readonly verdict: Verdict
}

/** A number that is to be at least, or at most, something. */
interface Goal {
  readonly scenario: string
  readonly what: string
  readonly unit?: string
  readonly atLeast?: number
  readonly atMost?: number
  readonly found: (results: Results) => Spread | undefined
}

// Times the rate of: the raw echo, Go's net/rpc, grpc-js.
const ratios: Readonly<
  Record<string, readonly [raw: number | undefined, go: number | undefined, grpc: number]>
> = {
  a: [0.9, 1.25, 16],
  b: [0.8, 5, 50],
  c: [0.5, 6.5, 90],
  d: [0.9, 1.7, 14],
  e: [undefined, undefined, 12],
  f: [0.9, 1.7, 14],
  g: [undefined, 2, 20],
}
const others = ['raw', 'go-netrpc', 'grpc-js'] as const

const ratioGoals: readonly Goal[] = Object.entries(ratios).flatMap(([scenario, goals]) =>
  others.flatMap((to, i): Goal[] => {
    const atLeast = goals[i]
    if (atLeast === undefined) return []
    const found = (results: Results) => ratioOf(results, scenario, { peer: 'farcall', to })
    return [{ scenario, what: `calls/s ÷ ${to}`, unit: '×', atLeast, found }]
  }),
)

const mib = 1024 * 1024

const otherGoals: readonly Goal[] = [
  ...(['b', 'c'] as const).map(
    (load): Goal => ({
      scenario: 'l',
      what: `our geerpc/gob server ÷ Go’s, with Go’s client, load of ${load}`,
      unit: '×',
      atLeast: 0.5,
      found: (r) => ratioOf(r, load, { peer: 'farcall-geerpc', to: 'go-geerpc' }),
    }),
  ),
  { scenario: 'b', what: 'p99 ÷ p99 of raw', unit: '×', atMost: 2, found: p99AtB },
  {
    scenario: 'c',
    what: 'server CPU per call',
    unit: 'µs',
    atMost: 0.7,
    found: (r) => summaryOf(r, 'c', 'farcall')?.serverCpu,
  },
  {
    scenario: 'c',
    what: 'client CPU per call',
    unit: 'µs',
    atMost: 1.1,
    found: (r) => summaryOf(r, 'c', 'farcall')?.clientCpu,
  },
  goalOf('e', 'slow-consumer', 'growth of the producer’s heap while 1,000,000 items wait', {
    unit: 'MiB',
    atMost: 4,
    value: (r) => (r.producerHeapMost - r.producerHeapBefore) / mib,
  }),
  goalOf('h', 'beside', 'p99 of small calls beside 4 MiB replies ÷ alone', {
    unit: '×',
    atMost: 5,
    value: (r) => r.besideP99 / r.aloneP99,
  }),
  goalOf('i', 'idle', 'server memory per idle connection', {
    unit: 'KiB',
    atMost: 20,
    value: (r) => r.rssEach / 1024,
  }),
  goalOf('j', 'pick', 'p2c at 10,000 endpoints', {
    unit: 'ns',
    atMost: 300,
    value: (r) => r['p2c']?.['10000'],
  }),
  goalOf('j', 'pick', 'p2c at 10,000 endpoints ÷ at 1,000 (flat)', {
    unit: '×',
    atMost: 1.5,
    value: (r) => (r['p2c']?.['10000'] ?? Number.NaN) / (r['p2c']?.['1000'] ?? Number.NaN),
  }),
  goalOf('k', 'registry', 'CPU of a registry with 10,000 heartbeating instances', {
    unit: '% of a core',
    atMost: 5,
    value: (r) => (r.instances === 10_000 ? r.cpuShare * 100 : undefined),
  }),
  goalOf('k', 'registry', 'a change reaches 1,000 watchers', {
    unit: 'ms',
    atMost: 100,
    value: (r) => (r.watchers === 1_000 ? r.changeMedianMs : undefined),
  }),
  goalOf('m', 'startup', 'first call after process start', {
    unit: 'ms',
    atMost: 150,
    value: (r) => r.firstCallMs,
  }),
  goalOf('m', 'startup', 'client core, min+gzip', {
    unit: 'KiB',
    atMost: 25,
    value: (r) => r.bundleGzipBytes && r.bundleGzipBytes / 1024,
  }),
  goalOf('m', 'startup', '1,000 methods type-check', {
    unit: 's',
    atMost: 1.5,
    value: (r) => r.typesSeconds,
  }),
]

/** A goal for what a script of its own measures. */
function goalOf<Name extends keyof SpecialResults>(
  scenario: string,
  name: Name,
  what: string,
  options: {
    unit: string
    atMost: number
    value(result: NonNullable<SpecialResults[Name]>[number]): number | undefined
  },
): Goal {
  const { unit, atMost, value } = options
  const found = ({ special }: Results) => {
    const all = (special[name] ?? []) as readonly NonNullable<SpecialResults[Name]>[number][]
    const values = all.map(value).filter((each) => each !== undefined && !Number.isNaN(each))
    return values.length === 0 ? undefined : spread(values as number[])
  }
  return { scenario, what, unit, atMost, found }
}

function p99AtB(results: Results): Spread | undefined {
  const [ours, raw] = [summaryOf(results, 'b', 'farcall'), summaryOf(results, 'b', 'raw')]
  return ours && raw && spread([ours.p99 / raw.p99])
}

/** All targets, by scenario. */
export function targetRows(results: Results): readonly TargetRow[] {
  const rows = [...ratioGoals, ...otherGoals].map((goal) => rowOf(goal, results))
  return rows.sort((a, b) => a.scenario.localeCompare(b.scenario))
}

function rowOf(goal: Goal, results: Results): TargetRow {
  const { scenario, what, unit = '', atLeast, atMost } = goal
  const target = `${atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`} ${unit}`.trim()
  const found = goal.found(results)
  if (found === undefined || Number.isNaN(found.median))
    return { scenario, what, target, found: '', verdict: 'not measured' }
  const reached = atLeast === undefined ? found.median <= (atMost ?? 0) : found.median >= atLeast
  const range = found.min === found.max ? '' : ` (${short(found.min)}–${short(found.max)})`
  return {
    scenario,
    what,
    target,
    found: short(found.median) + range,
    verdict: reached ? 'reached' : 'not reached',
  }
}

/** Three digits that matter. */
function short(value: number): string {
  return value >= 100 ? Math.round(value).toString() : Number(value.toPrecision(3)).toString()
}
