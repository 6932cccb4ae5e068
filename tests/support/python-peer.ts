import { spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { feed, start, type TestProcess } from './process.ts'

const program = fileURLToPath(new URL('../peers/python/farcall_peer.py', import.meta.url))

/**
 * Why the tests with the Python peer cannot run here, or false. In CI they must, so there it says false and they fail.
 */
export function noPython(): string | false {
  const found = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'])
  if (found.status === 0 || process.env['CI'] !== undefined) return false
  return 'python3 is not here, or older than 3.9: install Python 3 (no packages are needed) to run the peer that is written from SPEC.md'
}

/** One line that the peer prints. */
export interface Line {
  readonly type: string
  // Each type has its own fields; a test knows which.
  readonly [field: string]: any
}

/** Starts the peer with these arguments. */
export function startPeer(args: readonly string[]): TestProcess {
  return start('python3', [program, ...args])
}

/** Runs the peer until it ends; gives all lines that it printed. */
export async function runPeer(
  args: readonly string[],
  input: readonly string[] = [],
): Promise<{ code: number | null; lines: Line[] }> {
  await using peer = startPeer(args)
  await feed(peer, input)
  return { code: peer.child.exitCode, lines: parseLines(peer.output) }
}

/** One process of the peer that runs commands one after the other. */
export interface PeerShell extends AsyncDisposable {
  /** Runs a command; gives all lines that it printed. `onLine` hears each as it comes. */
  run(args: readonly string[], onLine?: (line: Line) => void): Promise<{ code: number; lines: Line[] }>
  /** What a running command reads. */
  say(line: string): void
}

/** Starts the peer once for many commands, since starting Python takes longer than most of them. */
export function startShell(): PeerShell {
  const peer = startPeer(['many'])
  const input = peer.child.stdin
  let running: { lines: Line[]; onLine(line: Line): void; end(code: number): void } | undefined
  const printed = createInterface({ input: peer.child.stdout as Readable })
  printed.on('line', (text) => {
    const line = JSON.parse(text) as Line
    if (line.type === 'done') return running?.end(line['code'])
    running?.lines.push(line)
    running?.onLine(line)
  })
  return {
    run: (args, onLine = () => {}) =>
      new Promise((resolve, reject) => {
        const lines: Line[] = []
        const over = () => reject(new Error(`the Python peer ended:\n${peer.output.slice(-4000)}`))
        const end = (code: number) => {
          printed.off('close', over)
          resolve({ code, lines })
        }
        printed.once('close', over)
        running = { lines, onLine, end }
        input?.write(`${JSON.stringify(args)}\n`)
      }),
    say: (line) => input?.write(`${line}\n`),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}

/** The JSON lines of an output. Throws for one that is not, such as a stack trace, with all of it. */
export function parseLines(output: string): Line[] {
  const lines = output.split('\n').filter((line) => line !== '')
  if (lines.some((line) => !line.startsWith('{')))
    throw new Error(`the Python peer failed:\n${output.slice(0, 4000)}`)
  return lines.map((line) => JSON.parse(line) as Line)
}
