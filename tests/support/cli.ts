import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { start, type TestProcess } from './process.ts'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const before = ['--conditions=@farcall/source', program]

/** The module that the tests serve. */
export const tools = fileURLToPath(new URL('../modules/tools.ts', import.meta.url))

export interface CliOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** What a command came to. */
export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `farcall` as a process of its own, to its end. */
export function farcall(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { stdin = '', env = {}, cwd } = options
  const child = spawn(process.execPath, [...before, ...args], {
    env: { ...clean(process.env), ...env },
    ...(cwd !== undefined && { cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A command that does not read has gone before all is written.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** Starts `farcall` in a folder, by default this one, and leaves it running. */
export function startFarcall(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): TestProcess {
  return start(process.execPath, [...before, ...args], env, cwd)
}

/** A server of the test's module on a free port, and where it listens. */
export async function startTools(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<TestProcess & { readonly target: string }> {
  const server = startFarcall(['serve', tools, '-l', '127.0.0.1', '-p', '0', ...args], env)
  const [, target = ''] = await server.line(/listening at (tcp:\/\/[\d.:]+)/)
  return Object.assign(Object.create(server) as TestProcess, { target })
}

/** A registry on a free port. */
export async function startRegistry(
  args: readonly string[] = [],
): Promise<TestProcess & { readonly target: string }> {
  const registry = startFarcall(['registry', '-l', '127.0.0.1', '-p', '0', ...args])
  const [, address = ''] = await registry.line(/listening at tcp:\/\/([\d.:]+)/)
  return Object.assign(Object.create(registry) as TestProcess, { target: `registry://${address}` })
}

/** A folder with these files, which goes when the test does. */
export function folder(files: Readonly<Record<string, string>>): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'farcall-cli-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

// What the machine has set for itself is not what is tested.
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FARCALL_')))
}
