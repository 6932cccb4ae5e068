import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { formatMessage } from 'publint/utils'
import { publint } from 'publint'
import { root, tsc } from './checkout.ts'

// Looks at the package as a stranger gets it: packs it, installs the tarball into an empty project, imports every
// export there on a plain Node, compiles against its types, bundles a client, and runs its program. `dist/` must have
// been built.

interface Manifest {
  name: string
  version: string
  bin: Record<string, string>
  exports: Record<string, unknown>
  dependencies: Record<string, string>
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const problems: string[] = []

function run(program: string, args: readonly string[], cwd: string): string {
  const shell = process.platform === 'win32' && program === 'npm'
  const { NODE_OPTIONS: _, ...env } = process.env
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8', shell })
  if (status === 0) return stdout
  throw new Error(`${program} ${args.join(' ')} failed\n${error?.message ?? ''}${stdout}${stderr}`)
}

/** Runs one check; what it throws is a problem, and the next check goes on. */
function check(what: string, fn: () => void): void {
  try {
    fn()
  } catch (error) {
    problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function pack(into: string): { tarball: string; files: string[] } {
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', into]
  const [packed] = JSON.parse(run('npm', args, root)) as { filename: string; files: { path: string }[] }[]
  if (packed === undefined) throw new Error('npm pack said nothing')
  return { tarball: join(into, packed.filename), files: packed.files.map(({ path }) => path) }
}

function checkContents(files: readonly string[]): void {
  const stray = files.filter((file) =>
    /\.(test|test-d)\.|(^|\/)(fixtures|tests|bench|scripts|\.cache)\//.test(file),
  )
  if (stray.length > 0) problems.push(`files that do not belong into the package: ${stray.join(', ')}`)
  for (const needed of [
    'README.md',
    'LICENSE',
    'package.json',
    'dist/node.js',
    'dist/node.d.ts',
    'src/node.ts',
  ]) {
    if (!files.includes(needed)) problems.push(`the package lacks ${needed}`)
  }
}

// The dependencies come from the checkout by symbolic links, so this needs no registry. Only those that are declared:
// what src/ uses and package.json does not name is missing here as it would be for a stranger.
function install(tarball: string, project: string): string {
  const modules = join(project, 'node_modules')
  const installed = join(modules, manifest.name)
  mkdirSync(installed, { recursive: true })
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], project)
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }\n')
  return installed
}

/** The names to import: `farcall`, `farcall/testing`, … */
function specifiers(): string[] {
  const paths = Object.keys(manifest.exports).filter((path) => path !== './package.json')
  return paths.map((path) => manifest.name + path.slice(1))
}

function checkImports(project: string): void {
  for (const specifier of specifiers()) {
    check(`import '${specifier}'`, () => {
      const source = `const m = await import('${specifier}'); if (Object.keys(m).length === 0) throw new Error('empty')`
      run(process.execPath, ['--input-type=module', '--eval', source], project)
    })
  }
}

function checkTypes(project: string): void {
  const lines = specifiers().map((specifier, i) => `export * as face${i} from '${specifier}'`)
  writeFileSync(join(project, 'faces.ts'), `${lines.join('\n')}\n`)
  const compilerOptions = {
    module: 'nodenext',
    target: 'esnext',
    lib: ['esnext'],
    strict: true,
    noEmit: true,
    types: ['node'],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['faces.ts'] }))
  check('types of the exports', () => run(...tsc(['-p', project]), project))
}

// docs/protocol.md says 40 KiB. A server would be 20 more, and is seen.
const clientKiB = 42

/** What a bundler makes of a client for another platform holds nothing of Node, and little that no client needs. */
async function checkBundle(project: string): Promise<void> {
  const entry = join(project, 'client.js')
  const parts = readFileSync(join(root, 'bench', 'special', 'client-core.ts'), 'utf8')
  writeFileSync(entry, parts.replace('../../src/index.ts', manifest.name))
  try {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2024',
      logLevel: 'silent',
    })
    const KiB = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1024
    if (KiB > clientKiB) problems.push(`a bundled client has ${KiB.toFixed(1)} KiB, at most ${clientKiB}`)
  } catch (error) {
    problems.push(`a client cannot be bundled: ${String(error)}`)
  }
}

function checkProgram(installed: string, project: string): void {
  for (const [name, path] of Object.entries(manifest.bin)) {
    check(`${name} --help`, () => {
      if (!readFileSync(join(installed, path), 'utf8').startsWith('#!/usr/bin/env node\n')) {
        throw new Error(`${path} must begin with #!/usr/bin/env node`)
      }
      const help = run(process.execPath, [join(installed, path), '--help'], project)
      if (!help.includes(name)) throw new Error(`it does not name itself:\n${help}`)
    })
  }
}

async function checkManifest(installed: string): Promise<void> {
  const { messages } = await publint({ pkgDir: installed, pack: false, strict: true })
  const pkg = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>
  for (const message of messages) {
    // The checkout's own condition comes first by intent: it makes `src/` win over a stale `dist/`.
    if (message.code === 'EXPORTS_TYPES_SHOULD_BE_FIRST') continue
    const text = formatMessage(message, pkg, { color: false }) ?? message.code
    problems.push(`publint: ${text}`)
  }
}

// Outside of the checkout, so that nothing is found by accident in a folder above.
const project = mkdtempSync(join(tmpdir(), 'farcall-package-'))
try {
  const { tarball, files } = pack(project)
  checkContents(files)
  const installed = install(tarball, project)
  await checkManifest(installed)
  checkImports(project)
  checkTypes(project)
  await checkBundle(project)
  checkProgram(installed, project)
  for (const problem of problems) console.error(problem)
  if (problems.length === 0)
    console.log(`${files.length} files; ${specifiers().join(', ')} import and type-check`)
} finally {
  rmSync(project, { recursive: true, force: true })
}
process.exitCode = problems.length === 0 ? 0 : 1
