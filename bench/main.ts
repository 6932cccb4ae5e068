// npm run bench: measures Farcall and its peers side by side, prints what came of it, and writes it to bench/results/
// and, after a whole run, to docs/performance.md. `npm run bench -- --help` lists the options.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, tool } from '../scripts/checkout.ts'
import { measurePeer, nodeCommand, startProcess } from './harness/processes.ts'
import { type BenchOptions, help, readOptions, specials } from './options.ts'
import { type ChosenPeer, describeMachine, findPeers, install, versionOf } from './prepare.ts'
import { asText, formatMicros, formatRate, scenarioTable, targetsTable } from './report/format.ts'
import { writePage } from './report/page.ts'
import { type CurveRow, rateOf, type Results, type RunRow } from './report/results.ts'
import { curves, type Scenario, scenarios } from './scenarios.ts'

type Failed = Results['failed'][number]

async function run(options: BenchOptions): Promise<Results> {
  if (options.install) install()
  const { present, skipped } = await findPeers(options.peers)
  for (const { peer, why } of skipped) console.log(`skipped ${peer}: ${why}`)
  const failed: Failed[] = []
  const runs: RunRow[] = []
  const special: Record<string, unknown[]> = {}
  for (let repeat = 1; repeat <= options.repeats; repeat++) {
    console.log(`\nrepeat ${repeat} of ${options.repeats}`)
    runs.push(...(await runScenarios(options, present, repeat, failed)))
    await runSpecials(options, special, failed)
  }
  return {
    date: new Date().toISOString(),
    command: options.command,
    node: process.version,
    machine: describeMachine(),
    windowMs: options.windowMs,
    warmupMs: options.warmupMs,
    repeats: options.repeats,
    peers: present.map(({ peer }) => ({ name: peer.name, about: peer.about, version: versionOf(peer) })),
    skipped,
    failed,
    runs,
    curves: options.curves ? await runCurves(options, present, failed) : [],
    special,
  }
}

async function runScenarios(
  options: BenchOptions,
  peers: readonly ChosenPeer[],
  repeat: number,
  failed: Failed[],
): Promise<RunRow[]> {
  const rows: RunRow[] = []
  for (const scenario of scenarios.filter(({ id }) => options.scenarios.includes(id))) {
    // Another one begins each time, so that none always comes after the same.
    const turn = repeat % Math.max(1, peers.length)
    for (const chosen of [...peers.slice(turn), ...peers.slice(0, turn)]) {
      const measured = await attempt(chosen, scenario, options, failed)
      if (measured === undefined) continue
      rows.push({ scenario: scenario.id, peer: chosen.peer.name, repeat, measured })
      const { p99 = Number.NaN, serverCpu, clientCpu, count } = measured
      const cpu = `CPU ${formatMicros(serverCpu / count)} + ${formatMicros(clientCpu / count)}`
      console.log(
        `  ${scenario.id} ${chosen.peer.name.padEnd(18)} ${formatRate(rateOf(measured)).padStart(7)}/s  ${cpu}  p99 ${formatMicros(p99)}`,
      )
    }
  }
  return rows
}

async function attempt(chosen: ChosenPeer, scenario: Scenario, options: BenchOptions, failed: Failed[]) {
  if (!chosen.peer.operations.includes(scenario.operation)) return undefined
  try {
    const measured = await measurePeer(chosen, scenario, options)
    if (measured.count === 0) throw new Error('nothing came back while it was measured')
    return measured
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    failed.push({ peer: chosen.peer.name, scenario: scenario.id, why })
    console.log(`  ${scenario.id} ${chosen.peer.name} failed: ${why}`)
    return undefined
  }
}

async function runSpecials(options: BenchOptions, special: Record<string, unknown[]>, failed: Failed[]) {
  if (!options.peers.includes('farcall')) return
  for (const [letter, names] of Object.entries(specials)) {
    if (!options.scenarios.includes(letter)) continue
    for (const name of names) {
      const args = name === 'pick' ? ['json'] : []
      try {
        const command = nodeCommand(`special/${name}.ts`, args)
        await using script = await startProcess<object>(command, { timeoutMs: 300_000 })
        special[name] = [...(special[name] ?? []), script.first]
        console.log(`  ${letter} ${name} ${JSON.stringify(script.first)}`)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        failed.push({ peer: 'farcall', scenario: letter, why })
        console.log(`  ${letter} ${name} failed: ${why}`)
      }
    }
  }
}

async function runCurves(options: BenchOptions, peers: readonly ChosenPeer[], failed: Failed[]) {
  const rows: CurveRow[] = []
  for (const curve of curves) {
    const taking = peers.filter(({ peer }) => curve.peers.includes(peer.name))
    console.log(`\n${curve.title}`)
    for (const { x, scenario } of curve.points) {
      for (const chosen of taking) {
        const measured = await attempt(chosen, scenario, options, failed)
        if (measured !== undefined) rows.push({ curve: curve.id, peer: chosen.peer.name, x, measured })
      }
      console.log(`  ${x}`)
    }
  }
  return rows
}

function print(results: Results): void {
  for (const { id, title } of scenarios) {
    if (results.runs.some(({ scenario }) => scenario === id)) {
      console.log(`\n${id}: ${title}\n${asText(scenarioTable(results, id))}`)
    }
  }
  console.log(`\n${asText(targetsTable(results).filter((row) => row.at(-1) !== 'not measured'))}`)
  for (const { peer, why } of results.skipped) console.log(`skipped ${peer}: ${why}`)
}

// What is kept with the project is a whole run; a partial one does not take its place.
function save(results: Results, isWhole: boolean): void {
  const folder = join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  const name = isWhole ? 'latest.json' : 'partial.json'
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(results, null, 2))
  spawnSync(...tool('@biomejs/biome', ['format', '--write', file]), { cwd: root, stdio: 'ignore' })
  console.log(`\nwritten: bench/results/${name}`)
}

const options = readOptions(process.argv.slice(2))
if (options === 'help') console.log(help)
else {
  const results =
    options.from === undefined
      ? await run(options)
      : (JSON.parse(readFileSync(options.from, 'utf8')) as Results)
  print(results)
  if (options.from === undefined) save(results, options.report)
  if (options.report || options.from !== undefined) {
    writePage(results)
    console.log('written: docs/performance.md')
  }
}
