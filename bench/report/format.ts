import { scenarios } from '../scenarios.ts'
import { type Results, summaryOf } from './results.ts'
import { targetRows } from './targets.ts'

/** `1.23M`, `45.6k`, `789`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)}M`
  if (perSecond >= 1e5) return `${Math.round(perSecond / 1e3)}k`
  return perSecond >= 1e3 ? `${(perSecond / 1e3).toFixed(1)}k` : String(Math.round(perSecond))
}

export function formatMicros(micros: number): string {
  if (Number.isNaN(micros)) return '–'
  if (micros >= 10_000) return `${(micros / 1000).toFixed(0)} ms`
  if (micros >= 1000) return `${(micros / 1000).toFixed(1)} ms`
  return micros >= 100 ? `${micros.toFixed(0)} µs` : `${micros.toFixed(micros >= 10 ? 1 : 2)} µs`
}

export function formatMib(bytes: number): string {
  return Number.isNaN(bytes) ? '–' : String(Math.round(bytes / (1024 * 1024)))
}

export type Table = readonly (readonly string[])[]

/** Everything that was measured of a scenario, the fastest first; the first row is the heading. */
export function scenarioTable(results: Results, scenario: string): Table {
  const rows = results.peers.flatMap(({ name }) => {
    const summary = summaryOf(results, scenario, name)
    return summary === undefined ? [] : [{ name, summary }]
  })
  rows.sort((a, b) => b.summary.rate.median - a.summary.rate.median)
  const heading = ['peer', '/s', 'min–max', '÷ grpc-js', 'p50', 'p99', 'server CPU', 'client CPU', 'RSS MiB']
  const grpc = summaryOf(results, scenario, 'grpc-js')?.rate.median
  return [
    heading,
    ...rows.map(({ name, summary: s }) => [
      name,
      formatRate(s.rate.median),
      `${formatRate(s.rate.min)}–${formatRate(s.rate.max)}`,
      grpc === undefined ? '–' : Number((s.rate.median / grpc).toPrecision(2)).toString(),
      formatMicros(s.p50),
      formatMicros(s.p99),
      formatMicros(s.serverCpu.median),
      formatMicros(s.clientCpu.median),
      `${formatMib(s.serverRss)} / ${formatMib(s.clientRss)}`,
    ]),
  ]
}

export function targetsTable(results: Results): Table {
  const heading = ['', 'what', 'target', 'found (min–max)', '']
  return [
    heading,
    ...targetRows(results).map((row) => [row.scenario, row.what, row.target, row.found, row.verdict]),
  ]
}

/** Calls/s of all peers in all scenarios. */
export function overviewTable(results: Results): Table {
  const shown = scenarios.filter(({ id }) => results.runs.some(({ scenario }) => scenario === id))
  return [
    ['peer', ...shown.map(({ id }) => id)],
    ...results.peers.map(({ name }) => [
      name,
      ...shown.map(({ id }) => {
        const summary = summaryOf(results, id, name)
        return summary === undefined ? '–' : formatRate(summary.rate.median)
      }),
    ]),
  ]
}

/** For a terminal. */
export function asText([heading = [], ...rows]: Table): string {
  const widths = heading.map((_, i) => Math.max(...[heading, ...rows].map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [heading, widths.map((width) => '─'.repeat(width)), ...rows].map(line).join('\n')
}

export function asMarkdown([heading = [], ...rows]: Table): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  return [line(heading), line(heading.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  )
}
