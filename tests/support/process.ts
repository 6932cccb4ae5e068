import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** A program of a test, running as a process of its own. */
export interface TestProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** All that it has printed, both ways. */
  readonly output: string
  /** Waits for a line that matches, in what has come or is to come. Rejects if the process ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal, and resolves with how it ended. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts a TypeScript program in this Node, against the sources. The path is relative to tests/. */
export function startProgram(
  path: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): TestProcess {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url))
  return start(process.execPath, ['--conditions=@farcall/source', file, ...args], env)
}

/** Starts any program, in a folder. */
export function start(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd: string = process.cwd(),
): TestProcess {
  const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, ...env }, cwd })
  const waiting = new Set<() => void>()
  let output = ''
  let isClosed = false
  const onText = (text: string) => {
    output += text
    for (const check of waiting) check()
  }
  child.stdout.setEncoding('utf8').on('data', onText)
  child.stderr.setEncoding('utf8').on('data', onText)
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }))
  const onClosed = () => {
    isClosed = true
    for (const check of waiting) check()
  }
  ended.then(onClosed, onClosed)

  function line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = pattern.exec(output)
        // One that has exited may have printed what is still on its way.
        if (found === null && !isClosed) return
        waiting.delete(check)
        if (found === null)
          reject(
            new Error(
              `${command} ended (${child.exitCode ?? child.signalCode}) without ${pattern}:\n${output}`,
            ),
          )
        else resolve(found)
      }
      waiting.add(check)
      check()
    })
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM') {
    child.kill(signal)
    return await ended
  }

  return {
    child,
    get output() {
      return output
    },
    line,
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL')
    },
  }
}

/** Gives a program these lines and no more; resolves when it has ended. */
export async function feed({ child }: TestProcess, lines: readonly string[]): Promise<void> {
  const closed = once(child, 'close')
  child.stdin?.end(lines.map((line) => `${line}\n`).join(''))
  await closed
}

type Answer = Readonly<Record<string, unknown>>

/** Asks a program that answers each line of JSON with one. */
export function askByLines(peer: TestProcess): AsyncDisposable & ((question: object) => Promise<Answer>) {
  const answers = createInterface({ input: peer.child.stdout as Readable })[Symbol.asyncIterator]()
  const ask = async (question: object) => {
    peer.child.stdin?.write(`${JSON.stringify(question)}\n`)
    const { done, value } = await answers.next()
    if (done === true) throw new Error(`it has ended:\n${peer.output}`)
    return JSON.parse(value) as Answer
  }
  return Object.assign(ask, { [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]() })
}
