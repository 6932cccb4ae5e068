import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { arch, cpus, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { root } from '../scripts/checkout.ts'
import type { Peer } from './harness/peer.ts'
import { buildProgram, goVersion, type Program } from './harness/programs.ts'
import { absentPeers, loadPeer } from './peers/index.ts'

const modules = join(root, 'bench', 'node_modules')

export interface ChosenPeer {
  readonly file: string
  readonly peer: Peer
}

/** Installs what the peers need, unless it is there. A failure is told; what is missing then is skipped. */
export function install(): void {
  const lock = join(root, 'bench', 'package-lock.json')
  const installed = join(modules, '.package-lock.json')
  if (existsSync(installed) && isSame(lock, installed)) return
  console.error('Installing the peers (bench/node_modules); this takes a moment…')
  const npm = process.env['npm_execpath']
  const [program, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]]
  const args = [...first, 'ci', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund']
  const { status } = spawnSync(program, args, {
    cwd: join(root, 'bench'),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) console.error('The peers could not be installed; those that are missing are skipped.')
}

type Lock = { readonly packages: Readonly<Record<string, { version?: string; optional?: boolean }>> }

function isSame(lock: string, installed: string): boolean {
  const read = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as Lock).packages
  const here = read(installed)
  return Object.entries(read(lock)).every(
    ([path, { version, optional }]) => path === '' || optional === true || here[path]?.version === version,
  )
}

/** Those of the peers that can run here, and why the others cannot. */
export async function findPeers(files: readonly string[]) {
  const present: ChosenPeer[] = []
  const skipped = Object.entries(absentPeers).map(([peer, why]) => ({ peer, why }))
  const built = new Map<Program, string | undefined>()
  for (const file of files) {
    const peer = await loadPeer(file)
    const why = missing(peer, built)
    if (why === undefined) present.push({ file, peer })
    else skipped.push({ peer: peer.name, why })
  }
  return { present, skipped }
}

function missing(peer: Peer, built: Map<Program, string | undefined>): string | undefined {
  if (peer.kind === 'node') {
    const absent = peer.packages.filter((name) => !existsSync(join(modules, name)))
    if (absent.length > 0) return `not installed: ${absent.join(', ')}`
  }
  const { program } = peer
  if (program === undefined) return undefined
  if (!built.has(program)) built.set(program, buildProgram(program))
  return built.get(program)
}

/** The versions of what a peer consists of. */
export function versionOf(peer: Peer): string {
  if (peer.kind === 'served') return `client: Go ${goVersion()}`
  if (peer.kind === 'program')
    return peer.variant === 'grpc' ? `Go ${goVersion()}, grpc-go ${grpcGo()}` : `Go ${goVersion()}`
  if (peer.packages.length === 0) return ''
  return peer.packages.map((name) => `${name} ${versionIn(join(modules, name))}`).join(', ')
}

function grpcGo(): string {
  const text = readFileSync(join(root, 'bench/peers/go-modules/go.mod'), 'utf8')
  return /google\.golang\.org\/grpc v(\S+)/.exec(text)?.[1] ?? '?'
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}

/** What the figures were measured on, in a few words. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown CPU'
  return `${type()} ${arch()}, ${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB`
}
