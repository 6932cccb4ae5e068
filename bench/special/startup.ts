// m: from the start of a process to its first reply, the size of a client, and the time that 1,000 methods take to
// type-check. startup.ts [runs]
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { cacheDir, root, sourceCondition } from '../../scripts/checkout.ts'
import { nodeCommand, startProcess } from '../harness/processes.ts'
import { median } from '../report/stats.ts'

export interface StartupResult {
  /** Medians, in ms, from spawning a process to its last line: with one call, and of an empty program. */
  readonly firstCallMs: number
  readonly emptyMs: number
  /** Bytes, minified, with and without gzip. */
  readonly bundleBytes: number | undefined
  readonly bundleGzipBytes: number | undefined
  readonly typesSeconds: number | undefined
}

const folder = join(cacheDir, 'bench', 'built')

/** Builds what a user installs, beside `dist/`, which others may be using. */
function build(): string {
  mkdirSync(folder, { recursive: true })
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: object }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }))
  const args = ['scripts/build.ts', join(folder, 'dist')]
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`it cannot be built: ${stdout.split('\n')[0]}`)
  return join(folder, 'dist', 'node.js')
}

function timed(runs: number, script: string): number {
  const times = Array.from({ length: runs }, () => {
    const at = performance.now()
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (status !== 0) throw new Error(stderr)
    return performance.now() - at
  })
  return median(times)
}

async function firstCall(runs: number): Promise<{ firstCallMs: number; emptyMs: number }> {
  const built = build()
  await using server = await startProcess<{ address: string }>(nodeCommand('harness/server.ts', ['farcall']))
  const script = `import { connect } from ${JSON.stringify(built)}
const client = connect(${JSON.stringify(server.first.address)})
const sum = await client.service('bench').add(1, 2)
process.exit(sum === 3 ? 0 : 1)`
  return { firstCallMs: timed(runs, script), emptyMs: timed(runs, 'process.exit(0)') }
}

interface Esbuild {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly contents: Uint8Array }[] }>
}

async function bundle(): Promise<{ bundleBytes?: number; bundleGzipBytes?: number }> {
  let esbuild: Esbuild
  try {
    const name = 'esbuild'
    esbuild = (await import(name)) as Esbuild
  } catch {
    return {}
  }
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(import.meta.dirname, 'client-core.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    conditions: ['@farcall/source'],
    target: 'es2024',
  })
  const [file] = outputFiles
  if (file === undefined) return {}
  return {
    bundleBytes: file.contents.length,
    bundleGzipBytes: gzipSync(file.contents, { level: 9 }).length,
  }
}

function typesSeconds(): number | undefined {
  const { stdout, stderr } = spawnSync(process.execPath, [sourceCondition, 'scripts/check-types-budget.ts'], {
    cwd: root,
    encoding: 'utf8',
  })
  const found = /: ([\d.]+) s of/.exec(stdout) ?? /takes ([\d.]+) s/.exec(stderr)
  return found === null ? undefined : Number(found[1])
}

const sizes = await bundle()
const result: StartupResult = {
  ...(await firstCall(Number(process.argv[2] ?? 11))),
  bundleBytes: sizes.bundleBytes,
  bundleGzipBytes: sizes.bundleGzipBytes,
  typesSeconds: typesSeconds(),
}
console.log(JSON.stringify(result))
