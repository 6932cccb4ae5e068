import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// As a source or compiled: the program and the services stand beside each other with the same ending.
const ending = extname(import.meta.url)
const program = fileURLToPath(new URL(`../main${ending}`, import.meta.url))
const services = fileURLToPath(new URL(`./services${ending}`, import.meta.url))

/** One process of the demo: `farcall registry` or `farcall serve`, as anybody would start it. */
export interface Child {
  readonly name: string
  readonly pid: number
  /** Where it listens: `tcp://127.0.0.1:39041`. */
  readonly target: string
  readonly alive: boolean
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Stops it as Ctrl-C would. */
  stop(): Promise<void>
}

/** Starts a registry on a free port. */
export function startRegistry(): Promise<Child> {
  return start('registry', ['registry', '-l', '127.0.0.1', '-p', '0'])
}

/** Starts a server on a free port, which registers itself. */
export function startServer(name: string, registry: string): Promise<Child> {
  const zone = name === 'cedar' ? 'west' : 'east'
  const options = ['--id', name, '--zone', zone, '--registry', registry, '--grace', '3000']
  return start(name, ['serve', services, '-l', '127.0.0.1', '-p', '0', ...options])
}

async function start(name: string, args: readonly string[]): Promise<Child> {
  // Settings of whoever runs the demo are for their own servers.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('FARCALL_')))
  const all = [...process.execArgv, program, ...args, '--json', '--log-level', 'error']
  // The channel tells the child when this process is gone, however that came about.
  const child = spawn(process.execPath, all, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const ended = once(child, 'exit').then(() => {})
  let trouble = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    trouble = (trouble + chunk).slice(-2_000)
  })
  const target = await readTarget(child, ended, () => `${name} did not start: ${trouble}`)
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
  }
  return {
    name,
    pid: child.pid ?? 0,
    target,
    get alive() {
      return child.exitCode === null && child.signalCode === null
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

/** The first line that a child prints says where it listens. */
async function readTarget(child: ChildProcess, ended: Promise<void>, why: () => string): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no stdout')
  const lines = createInterface({ input: child.stdout })
  const first = once(lines, 'line') as Promise<[string]>
  const [line] = await Promise.race([
    first,
    ended.then((): never => {
      throw new Error(why())
    }),
  ])
  return (JSON.parse(line) as { targets: string[] }).targets[0] ?? ''
}
