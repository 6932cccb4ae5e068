import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Starts a server. It says where it listens, `ready 127.0.0.1:39041`, once it is registered. */
export async function startServer(
  command: readonly string[],
): Promise<AsyncDisposable & { address: string }> {
  const child = start(command)
  for await (const line of linesOf(child)) {
    const address = line.replace(/^ready /, '')
    return { address, [Symbol.asyncDispose]: () => stop(child) }
  }
  throw new Error(`${command.join(' ')} did not start`)
}

/** Runs a program to its end; gives the lines that it printed. */
export function run(command: readonly string[]): Promise<string[]> {
  return Array.fromAsync(linesOf(start(command)))
}

function start([program = '', ...args]: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  // However this process ends, none is left behind.
  process.once('exit', () => child.kill())
  return child
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

function linesOf({ stdout }: ChildProcess): AsyncIterable<string> {
  if (stdout === null) throw new Error('its output was to be read')
  return createInterface({ input: stdout })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}
