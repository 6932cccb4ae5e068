import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/checkout.ts'
import { curves, scenarios } from '../scenarios.ts'
import { barChart, lineChart } from './chart.ts'
import {
  asMarkdown,
  formatMicros,
  formatRate,
  overviewTable,
  scenarioTable,
  type Table,
  targetsTable,
} from './format.ts'
import { type Results, summaryOf } from './results.ts'
import { median } from './stats.ts'

const chartFolder = 'docs/performance'

/** Writes docs/performance.md and its charts. What is said by hand is in bench/notes.md. */
export function writePage(results: Results): void {
  rmSync(join(root, chartFolder), { recursive: true, force: true })
  mkdirSync(join(root, chartFolder), { recursive: true })
  const notes = readFileSync(join(root, 'bench/notes.md'), 'utf8').trim()
  const parts = [
    head(results),
    '## What is to be reached\n\n' +
      'Ratios are formed within each repeat; their median counts. CPU is that of all processes of a side.\n\n' +
      asMarkdown(targetsTable(results)),
    `## All peers\n\nCalls per second (\`e\`: items), medians of ${results.repeats} repeats.\n\n${asMarkdown(overviewTable(results))}\n\n${legend()}`,
    layerCosts(results),
    ...scenarios.map((scenario) => scenarioPart(results, scenario)),
    '## Curves\n\n' +
      [...curves.map(({ id }) => curvePart(results, id)), pickPart(results)].filter(Boolean).join('\n\n'),
    specialPart(results),
    notes,
    versionsPart(results),
  ]
  writeFileSync(join(root, 'docs/performance.md'), `${parts.filter((part) => part !== '').join('\n\n')}\n`)
}

function head(results: Results): string {
  const { node, machine, repeats, windowMs, warmupMs, date, command } = results
  return `# Performance

This page is generated: do not edit it. It was made on ${date.slice(0, 10)} by

\`\`\`sh
${command}
\`\`\`

on Node ${node}, ${machine}. Server and client are processes of their own and talk over loopback. Each measurement takes
${windowMs / 1000} s after ${warmupMs / 1000} s of warming up; there are ${repeats} repeats, in each of which all peers take their turn in every scenario, so that a
disturbance of the machine meets all of them. Every result is checked. Compare ratios: calls per second change with the
machine. Farcall runs with its defaults, everything on: deadline, cancelling, context, retry, balancer, limits, statistics,
msgpack.`
}

function legend(): string {
  return scenarios.map(({ id, title }) => `- **${id}**: ${title}`).join('\n')
}

function scenarioPart(results: Results, { id, title, unit }: (typeof scenarios)[number]): string {
  const bars = results.peers.flatMap(({ name }) => {
    const rate = summaryOf(results, id, name)?.rate.median
    if (rate === undefined) return []
    return [{ label: name, value: rate, shown: formatRate(rate), isOurs: name.startsWith('farcall') }]
  })
  if (bars.length === 0) return ''
  bars.sort((a, b) => b.value - a.value)
  const chart = writeChart(`scenario-${id}`, barChart(`${id}: ${title} (${unit}/s, logarithmic)`, bars))
  return `## ${id}: ${title}\n\n![${id}: ${title}](${chart})\n\n${asMarkdown(scenarioTable(results, id))}`
}

function curvePart(results: Results, id: string): string {
  const curve = curves.find((each) => each.id === id)
  const rows = results.curves.filter((row) => row.curve === id)
  if (curve === undefined || rows.length === 0) return ''
  const xs = [...new Set(rows.map(({ x }) => x))]
  const costOf = (peer: string, x: number) => {
    const found = rows.filter((row) => row.peer === peer && row.x === x)
    return median(found.map(({ measured: m }) => (m.serverCpu + m.clientCpu) / m.count))
  }
  const measured = curve.peers.filter((peer) => rows.some((row) => row.peer === peer))
  const lines = measured.map((label) => ({
    label,
    points: xs.map((x) => [x, costOf(label, x)] as const).filter(([, y]) => y > 0),
  }))
  const chart = writeChart(
    `curve-${id}`,
    lineChart(curve.title, { x: curve.axis, y: 'µs of CPU, both sides' }, lines),
  )
  const table: Table = [
    [curve.axis, ...measured],
    ...xs.map((x) => [String(x), ...measured.map((peer) => formatMicros(costOf(peer, x)))]),
  ]
  return `### ${curve.title}\n\n![${curve.title}](${chart})\n\n${asMarkdown(table)}`
}

function pickPart({ special: { pick = [] } }: Results): string {
  const [first] = pick
  if (first === undefined) return ''
  const balancers = Object.keys(first)
  const sizes = Object.keys(first[balancers[0] ?? ''] ?? {})
  const costOf = (name: string, size: string) => median(pick.map((run) => run[name]?.[size] ?? Number.NaN))
  const lines = balancers.map((label) => ({
    label,
    points: sizes.map((size) => [Number(size), costOf(label, size)] as const),
  }))
  const title = 'j: nanoseconds per pick against endpoints'
  const chart = writeChart('curve-endpoints', lineChart(title, { x: 'endpoints', y: 'ns' }, lines))
  const table: Table = [
    ['balancer', ...sizes],
    ...balancers.map((name) => [name, ...sizes.map((size) => costOf(name, size).toFixed(0))]),
  ]
  return `### ${title}\n\n![${title}](${chart})\n\n${asMarkdown(table)}`
}

/** What three async layers and a schema on each call cost, at c. */
function layerCosts(results: Results): string {
  const plain = summaryOf(results, 'c', 'farcall')?.serverCpu.median
  const layers = summaryOf(results, 'c', 'farcall-layers')?.serverCpu.median
  const schema = summaryOf(results, 'c', 'farcall-schema')?.serverCpu.median
  if (plain === undefined || layers === undefined || schema === undefined) return ''
  const each = (layers - plain) / 3
  return `## What layers and schemas cost

At c, in CPU of the server per call: an async layer ${formatMicros(each)} (three were measured together), a zod schema for each of two
parameters and for the result ${formatMicros(schema - plain)}, where the call itself costs ${formatMicros(plain)}.`
}

function specialPart({ special }: Results): string {
  const rows: string[] = []
  for (const [name, results = []] of Object.entries(special)) {
    if (name === 'pick' || results.length === 0) continue
    const keys = Object.keys(results[0] ?? {})
    const value = (key: string) => {
      const found = median(
        (results as readonly Record<string, number>[]).map((run) => run[key] ?? Number.NaN),
      )
      return Number.isNaN(found) ? '–' : Number(found.toPrecision(4)).toLocaleString('en')
    }
    rows.push(`- **${name}**: ${keys.map((key) => `${key} ${value(key)}`).join(', ')}`)
  }
  return rows.length === 0 ? '' : `## Figures of the other scenarios\n\n${rows.join('\n')}`
}

function versionsPart({ peers, skipped, failed }: Results): string {
  const lines = peers.map(({ name, about, version }) => `| ${name} | ${about} | ${version} |`)
  const missing = skipped.map(({ peer, why }) => `- ${peer} was skipped: ${why}`)
  const broken = failed.map(
    ({ peer, scenario, why }) => `- ${peer} failed in ${scenario}: ${why.replaceAll(root, '.')}`,
  )
  const table = ['| peer | what it is | version |', '| --- | --- | --- |', ...lines].join('\n')
  return `## Peers\n\n${[table, [...missing, ...broken].join('\n')].filter(Boolean).join('\n\n')}`
}

function writeChart(name: string, svg: string): string {
  writeFileSync(join(root, chartFolder, `${name}.svg`), svg)
  return `performance/${name}.svg`
}
