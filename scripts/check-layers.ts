import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { findFiles, root } from './checkout.ts'
import { ambient, maxLines, nodeOnly, type Room, rooms } from './layers.ts'
import { type ScannedSource, scanSource } from './scan-source.ts'

/** One thing that is wrong, with what to do about it. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly rule: 'layer' | 'node-only' | 'ambient' | 'unresolved' | 'cycle' | 'length'
  readonly message: string
}

export interface LayerReport {
  readonly findings: readonly Finding[]
  readonly files: number
  readonly lines: { readonly median: number; readonly p90: number; readonly max: number }
}

interface Module {
  readonly file: string
  readonly room: Room | undefined
  readonly lines: number
  readonly scanned: ScannedSource
  /** Imports that stay in src, by target, with the line of the first. */
  readonly edges: Map<string, number>
}

const isTest = /\.(test|test-d|suite)\.ts$|(^|\/)fixtures\//

// What src/ may call by a name of the package itself.
const aliases: Record<string, readonly string[]> = {
  '#platform': ['core/platform/platform.ts', 'core/platform/platform.node.ts'],
  farcall: ['node.ts'],
  'farcall/testing': ['testing/index.ts'],
  'farcall/protocol': ['protocols/index.ts'],
}

/** Checks every module below `src` against the table in layers.ts, for cycles, and for length. */
export function checkLayers(src: string): LayerReport {
  const files = findFiles(src, ['**/*.ts'])
  const modules = new Map(files.map((file) => [file, readModule(src, file)]))
  const findings: Finding[] = []
  for (const module of modules.values()) {
    findings.push(...resolveImports(module, modules), ...checkEdges(module), ...checkAmbient(module))
    if (module.lines > maxLines && !isTest.test(module.file)) findings.push(tooLong(module))
  }
  findings.push(...findCycles(modules))
  const lengths = [...modules.values()].filter(({ file }) => !isTest.test(file)).map(({ lines }) => lines)
  return { findings, files: modules.size, lines: summarize(lengths) }
}

function readModule(src: string, file: string): Module {
  const source = readFileSync(join(src, file), 'utf8')
  const lines = source.split('\n').length - (source.endsWith('\n') ? 1 : 0)
  return { file, room: roomOf(file), lines, scanned: scanSource(source), edges: new Map() }
}

function roomOf(file: string): Room | undefined {
  return rooms.find((room) => room.files.test(file))
}

function resolveImports(module: Module, modules: ReadonlyMap<string, Module>): Finding[] {
  const findings: Finding[] = []
  const { file, edges, scanned } = module
  if (module.room === undefined) {
    const message = 'no room of scripts/layers.ts holds this file; move it, or add a room to the table'
    findings.push({ file, line: 1, rule: 'layer', message })
  }
  for (const { text, line } of scanned.imports) {
    const relative = text.startsWith('.') ? [posix.join(posix.dirname(file), text)] : undefined
    for (const target of relative ?? aliases[text] ?? []) {
      const known = modules.has(target)
      if (known && !edges.has(target)) edges.set(target, line)
      if (known || (target.endsWith('.json') && !target.startsWith('..'))) continue
      const message = `'${text}' is no module of src/; import the file by its name, with .ts, and nothing outside of src/`
      findings.push({ file, line, rule: 'unresolved', message })
    }
    if (text.startsWith('node:') && !nodeOnly.test(file)) {
      const message = `'${text}' binds this file to Node; name it *.node.ts, or get it through #platform or an argument`
      findings.push({ file, line, rule: 'node-only', message })
    }
  }
  return findings
}

function checkEdges({ file, room, edges, scanned }: Module): Finding[] {
  if (room === undefined) return []
  const findings: Finding[] = []
  const throughAlias = scanned.imports.some(({ text }) => text === '#platform') ? aliases['#platform'] : []
  for (const [target, line] of edges) {
    const targetRoom = roomOf(target)
    const message = targetRoom === undefined ? undefined : forbidden(file, room, target, targetRoom)
    if (message !== undefined) findings.push({ file, line, rule: 'layer', message })
    if (nodeOnly.test(target) && !nodeOnly.test(file) && !throughAlias?.includes(target)) {
      const why = `${target} needs Node, and this file must run anywhere; let node.ts or a *.node.ts file import it`
      findings.push({ file, line, rule: 'node-only', message: why })
    }
  }
  return findings
}

function forbidden(file: string, from: Room, target: string, to: Room): string | undefined {
  if (from === to) {
    const [own, other] = [from.files.exec(file)?.[1], from.files.exec(target)?.[1]]
    if (!from.apart || own === other) return undefined
    return `${from.name}/${own} must not import ${from.name}/${other}: ${from.hint}`
  }
  if (!from.may.includes(to.name)) {
    const hint =
      to.name === 'cli' || to.name === 'node' || to.name === 'testing' || to.name === 'tests'
        ? to.hint
        : from.hint
    return `${from.name} must not import ${to.name} (${target}): ${hint}`
  }
  if (to.face === undefined || to.face.test(target) || from.name === 'tests' || from.name === 'testing')
    return undefined
  return `${target} is private to ${to.name}; import its public face (index.ts), or add what is missing there`
}

function checkAmbient({ file, scanned }: Module): Finding[] {
  return ambient
    .filter(({ allowed }) => !allowed.test(file))
    .flatMap(({ names, hint }) =>
      scanned.names
        .filter(({ text }) => names.includes(text))
        .map(({ text, line }) => ({ file, line, rule: 'ambient' as const, message: `${text}: ${hint}` })),
    )
}

function tooLong({ file, lines }: Module): Finding {
  const message = `${lines} lines, and ${maxLines} are the limit; find the second idea in it and give it a file`
  return { file, line: maxLines + 1, rule: 'length', message }
}

/** One finding for each knot of modules that import each other, with its shortest cycle. */
function findCycles(modules: ReadonlyMap<string, Module>): Finding[] {
  const findings: Finding[] = []
  const done = new Set<string>()
  for (const file of modules.keys()) {
    if (done.has(file)) continue
    const cycle = shortestCycle(file, modules)
    if (cycle === undefined) continue
    for (const member of cycle) done.add(member)
    const message = `${[...cycle, file].join(' → ')}; move what both need into a file of its own (types count as well)`
    findings.push({ file, line: modules.get(file)?.edges.get(cycle[1] ?? file) ?? 1, rule: 'cycle', message })
  }
  return findings
}

// Breadth first from `start` back to itself.
function shortestCycle(start: string, modules: ReadonlyMap<string, Module>): string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const file of queue) {
    for (const next of modules.get(file)?.edges.keys() ?? []) {
      if (next === start) return pathTo(file, cameFrom)
      if (cameFrom.has(next)) continue
      cameFrom.set(next, file)
      queue.push(next)
    }
  }
  return undefined
}

function pathTo(file: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [file]
  for (let at = cameFrom.get(file); at !== undefined; at = cameFrom.get(at)) path.unshift(at)
  return path
}

function summarize(lengths: readonly number[]): LayerReport['lines'] {
  const sorted = lengths.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { median: at(0.5), p90: at(0.9), max: sorted.at(-1) ?? 0 }
}

if (import.meta.main) {
  const { findings, files, lines } = checkLayers(join(root, 'src'))
  for (const { file, line, rule, message } of findings)
    console.error(`src/${file}:${line} ${rule}: ${message}`)
  console.log(`${files} files; lines: median ${lines.median}, p90 ${lines.p90}, max ${lines.max}`)
  if (files === 0) console.error('src/ holds no module')
  process.exitCode = findings.length === 0 && files > 0 ? 0 : 1
}
