import type { Measured } from '../harness/peer.ts'
import type { BesideResult } from '../special/beside.ts'
import type { IdleResult } from '../special/idle.ts'
import type { PickResult } from '../special/pick.ts'
import type { RegistryResult } from '../special/registry.ts'
import type { SlowConsumerResult } from '../special/slow-consumer.ts'
import type { StartupResult } from '../special/startup.ts'
import { median, type Spread, spread } from './stats.ts'

/** What the scenarios with scripts of their own have found, all repeats of each. */
export interface SpecialResults {
  readonly beside?: readonly BesideResult[]
  readonly 'slow-consumer'?: readonly SlowConsumerResult[]
  readonly idle?: readonly IdleResult[]
  readonly pick?: readonly PickResult[]
  readonly registry?: readonly RegistryResult[]
  readonly startup?: readonly StartupResult[]
}

/** One measurement of one peer. */
export interface RunRow {
  readonly scenario: string
  readonly peer: string
  readonly repeat: number
  readonly measured: Measured
}

export interface CurveRow {
  readonly curve: string
  readonly peer: string
  readonly x: number
  readonly measured: Measured
}

/** All that a run of the bench has found; the file in bench/results/ is this, as JSON. */
export interface Results {
  readonly date: string
  readonly command: string
  readonly node: string
  readonly machine: string
  readonly windowMs: number
  readonly warmupMs: number
  readonly repeats: number
  /** Of each peer: what it is, and the versions of its packages. */
  readonly peers: readonly { readonly name: string; readonly about: string; readonly version: string }[]
  readonly skipped: readonly { readonly peer: string; readonly why: string }[]
  readonly failed: readonly { readonly peer: string; readonly scenario: string; readonly why: string }[]
  readonly runs: readonly RunRow[]
  readonly curves: readonly CurveRow[]
  readonly special: SpecialResults
}

/** What a peer does in a scenario: medians over the repeats. */
export interface Summary {
  readonly rate: Spread
  readonly p50: number
  readonly p99: number
  /** µs per call. */
  readonly serverCpu: Spread
  readonly clientCpu: Spread
  readonly serverRss: number
  readonly clientRss: number
}

export function rateOf({ count, elapsedMs }: Measured): number {
  return (count / elapsedMs) * 1000
}

/** Undefined where the peer was not measured. */
export function summaryOf(results: Results, scenario: string, peer: string): Summary | undefined {
  const measured = rowsOf(results, scenario, peer).map((row) => row.measured)
  if (measured.length === 0) return undefined
  const medianOf = (value: (one: Measured) => number) => median(measured.map(value))
  return {
    rate: spread(measured.map(rateOf)),
    p50: medianOf(({ p50 = Number.NaN }) => p50),
    p99: medianOf(({ p99 = Number.NaN }) => p99),
    serverCpu: spread(measured.map(({ serverCpu, count }) => serverCpu / count)),
    clientCpu: spread(measured.map(({ clientCpu, count }) => clientCpu / count)),
    serverRss: medianOf(({ serverRss }) => serverRss),
    clientRss: medianOf(({ clientRss }) => clientRss),
  }
}

/** How many times one peer's rate is another's, in each repeat by itself: a busy moment of the machine hits both. */
export function ratioOf(
  results: Results,
  scenario: string,
  over: { peer: string; to: string },
): Spread | undefined {
  const others = rowsOf(results, scenario, over.to)
  const ratios = rowsOf(results, scenario, over.peer).flatMap(({ repeat, measured }) => {
    const other = others.find((row) => row.repeat === repeat)
    return other === undefined ? [] : [rateOf(measured) / rateOf(other.measured)]
  })
  return ratios.length === 0 ? undefined : spread(ratios)
}

function rowsOf(results: Results, scenario: string, peer: string): readonly RunRow[] {
  return results.runs.filter((row) => row.scenario === scenario && row.peer === peer)
}
