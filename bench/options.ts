import { parseArgs } from 'node:util'
import { peerFiles } from './peers/index.ts'
import { scenarios } from './scenarios.ts'

/** The scenarios with scripts of their own, by letter. */
export const specials = {
  e: ['slow-consumer'],
  h: ['beside'],
  i: ['idle'],
  j: ['pick'],
  k: ['registry'],
  m: ['startup'],
} as const

const letters = [...new Set([...scenarios.map(({ id }) => id), ...Object.keys(specials), 'l'])].sort()

export const help = `npm run bench -- [options]

  --peers raw,farcall    which take part; default all: ${peerFiles.join(', ')}
  --scenarios b,c        default all: ${letters.join(', ')}
  --seconds 2            how long one measurement takes
  --warmup 1.5           seconds before it
  --repeats 5            how often all of it is done
  --no-curves            leave out the curves over payload, concurrency and connections
  --no-install           use what is in bench/node_modules as it is
  --report               make docs/performance.md of this run (the default where all peers and scenarios are run)
  --from FILE            measure nothing; make the page again from a file of results`

export interface BenchOptions {
  readonly peers: readonly string[]
  readonly scenarios: readonly string[]
  readonly windowMs: number
  readonly warmupMs: number
  readonly repeats: number
  readonly curves: boolean
  readonly install: boolean
  readonly report: boolean
  readonly from: string | undefined
  /** As it is to be typed again. */
  readonly command: string
}

/** @throws Error that names an unknown option, peer or scenario, with those that are known. */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      peers: { type: 'string' },
      scenarios: { type: 'string' },
      seconds: { type: 'string', default: '2' },
      warmup: { type: 'string', default: '1.5' },
      repeats: { type: 'string', default: '5' },
      curves: { type: 'boolean', default: true },
      install: { type: 'boolean', default: true },
      report: { type: 'boolean' },
      from: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return 'help'
  const isWhole = values.peers === undefined && values.scenarios === undefined
  return {
    peers: chosen('peer', values.peers, peerFiles),
    scenarios: chosen('scenario', values.scenarios, letters),
    windowMs: positive('seconds', values.seconds) * 1000,
    warmupMs: positive('warmup', values.warmup) * 1000,
    repeats: Math.ceil(positive('repeats', values.repeats)),
    curves: values.curves,
    install: values.install,
    report: values.report ?? isWhole,
    from: values.from,
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  }
}

function chosen(kind: string, given: string | undefined, known: readonly string[]): readonly string[] {
  if (given === undefined) return known
  const names = given.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`unknown ${kind} '${unknown}'; known: ${known.join(', ')}`)
  return known.filter((name) => names.includes(name))
}

function positive(name: string, given: string): number {
  const value = Number(given)
  if (!(value > 0)) throw new Error(`--${name} must be a positive number, got '${given}'`)
  return value
}
