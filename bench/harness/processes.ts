import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root, sourceCondition } from '../../scripts/checkout.ts'
import { loadOf, type Scenario } from '../scenarios.ts'
import type { Measured, Peer } from './peer.ts'
import { onPath, programPath } from './programs.ts'

export interface Times {
  readonly warmupMs: number
  readonly windowMs: number
}

/** A program of the bench that runs on: its first line of output, as JSON, and how to end it. */
export interface Running<T> extends AsyncDisposable {
  readonly first: T
}

/**
 * Starts a program and waits for its first line. It ends when its input does.
 * @throws Error with what it wrote, if it ends before, or says nothing for `timeoutMs`.
 */
export async function startProcess<T>(
  command: readonly string[],
  options: { readonly timeoutMs?: number } = {},
): Promise<Running<T>> {
  const [program = '', ...args] = command
  // Many sockets are waited for in some of them.
  const child = spawn(program, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  const ended = once(child, 'close')
  const lines = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: string) => {
      output += text
      if (output.includes('\n')) resolve()
    })
  })
  const timeoutMs = options.timeoutMs ?? 60_000
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  await Promise.race([lines, ended])
  clearTimeout(timer)
  const stop = async () => {
    child.stdin.end()
    const late = setTimeout(() => child.kill('SIGKILL'), 3_000)
    await ended
    clearTimeout(late)
  }
  const line = output.split('\n')[0] ?? ''
  try {
    return { first: JSON.parse(line) as T, [Symbol.asyncDispose]: stop }
  } catch {
    await stop()
    throw new Error(
      `${program} ${args.join(' ')}: ${firstTrouble(errors) ?? `no answer in ${timeoutMs / 1000} s`}`,
    )
  }
}

function firstTrouble(errors: string): string | undefined {
  const lines = errors.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /^\w*Error\b|error:/i.test(line)) ?? lines[0]
}

/** What starts a TypeScript file of the bench in this Node. */
export function nodeCommand(file: string, args: readonly string[] = []): string[] {
  return [process.execPath, sourceCondition, '--expose-gc', `bench/${file}`, ...args]
}

/** Whether processes can be bound to a core here. */
export const canPin: boolean = onPath('taskset') !== undefined

/** Measures one peer in one scenario, in two processes of their own. */
export async function measurePeer(
  { file, peer }: { readonly file: string; readonly peer: Peer },
  scenario: Scenario,
  times: Times,
): Promise<Measured> {
  const pin = scenario.pinned && canPin ? ['taskset', '-c', '0'] : []
  const own = peer.kind === 'node' ? [] : [programPath(peer.program), peer.variant]
  const serverCommand =
    peer.kind === 'program' ? [...own, 'server'] : nodeCommand('harness/server.ts', [file])
  await using server = await startProcess<{ address: string; pids: number[] }>([...pin, ...serverCommand])
  const { address, pids } = server.first
  const load = JSON.stringify(loadOf(scenario, times, pids))
  const clientCommand =
    own.length > 0
      ? [...own, 'client', address, load]
      : nodeCommand('harness/client.ts', [file, address, load])
  const timeoutMs = times.warmupMs + times.windowMs + 30_000
  await using client = await startProcess<Measured>([...pin, ...clientCommand], { timeoutMs })
  return client.first
}
