import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { start, type TestProcess } from './process.ts'

const peers = fileURLToPath(new URL('../peers/go/', import.meta.url))
const programs = fileURLToPath(new URL('../../.cache/go/', import.meta.url))

/** The environment of Go's tools: found where they usually are, and with the standard library only. */
export const goEnv = {
  ...process.env,
  PATH: [process.env['PATH'], '/usr/local/go/bin'].join(delimiter),
  // Nothing is to be fetched, and no newer toolchain either.
  GOFLAGS: '-mod=mod',
  GOPROXY: 'off',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
}

/** Why the tests with the peers in Go cannot run here, or false. In CI they must, so there it says false and they fail. */
export function noGo(): string | false {
  if (spawnSync('go', ['version'], { env: goEnv }).status === 0 || process.env['CI'] !== undefined)
    return false
  return 'go is not here: install Go 1.22 or newer (no modules are needed) to run the peers in Go'
}

/** Compiles a program of the module in tests/peers/go; gives its path. */
export function buildGo(name: string): string {
  mkdirSync(programs, { recursive: true })
  const program = join(programs, name)
  const built = spawnSync('go', ['build', '-o', program, `./${name}`], {
    cwd: peers,
    env: goEnv,
    encoding: 'utf8',
  })
  if (built.status !== 0) throw new Error(`${name} does not compile:\n${built.stderr || String(built.error)}`)
  return program
}

/** What a call of the program came to. */
export interface Outcome {
  readonly id: number
  readonly reply: unknown
  readonly error: string
  readonly ms: number
}

/** One call that the program is to make; `repeat` makes a text longer than fits into a line. */
export interface Command {
  readonly id: number
  readonly method: string
  readonly args: unknown
  readonly repeat?: number
  readonly limitMs?: number
  /** Of the clients that know several servers: call them all. */
  readonly broadcast?: boolean
}

/** A client in Go, which makes calls at once, each in a goroutine of its own. */
export interface GoClient extends AsyncDisposable {
  readonly process: TestProcess
  call(method: string, args: unknown, options?: Omit<Command, 'id' | 'method' | 'args'>): Promise<Outcome>
}

/** Starts a client in Go with these arguments. */
export function startGoClient(program: string, args: readonly string[]): GoClient {
  const peer = start(program, args)
  let id = 0
  return {
    process: peer,
    async call(method, args, options = {}) {
      const command: Command = { id: ++id, method, args, ...options }
      peer.child.stdin?.write(`${JSON.stringify(command)}\n`)
      const [line] = await peer.line(new RegExp(`^\\{"id":${command.id},.*\\}$`, 'm'))
      return JSON.parse(line) as Outcome
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}

/** Starts a program in Go that listens, with these flags; resolves when it listens. */
export async function startGoPart(
  program: string,
  flags: readonly string[],
): Promise<TestProcess & { readonly address: string }> {
  const part = start(program, flags)
  const [, address = ''] = await part.line(/^listening (.*)$/m)
  return Object.assign(part, { address })
}

/** Starts a server in Go; resolves when it listens. */
export async function startGoServer(
  program: string,
  options: { network?: 'tcp' | 'unix'; address?: string; http?: boolean } = {},
): Promise<TestProcess & { readonly address: string }> {
  const { network = 'tcp', address = '127.0.0.1:0', http = false } = options
  return await startGoPart(program, ['server', network, address, ...(http ? ['http'] : [])])
}

/** Tries again until it succeeds, for what a client does in its own time; after 10 s it fails as the last try did. */
export async function eventually(attempt: () => Promise<void>): Promise<void> {
  const until = performance.now() + 10_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > until) throw error
      // Whom it waits for is to have the processor, too.
      await sleep(5)
    }
  }
}
