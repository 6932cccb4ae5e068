import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Spec } from './specs.ts'

/** What Go is asked: a stream, and the types to decode its values into; a null skips one. */
export interface Request {
  readonly register?: readonly { readonly name: string; readonly type: Spec }[]
  readonly types: readonly (Spec | null)[]
  readonly stream: Uint8Array
}

/** What Go got, in the words of `tell`, and the values encoded by Go again. */
export interface Answer {
  readonly values: readonly string[]
  readonly stream: Uint8Array
  readonly error: string
}

/** The program gobcheck, running. */
export class GobPeer implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = []
  #errors = ''

  constructor(program: string) {
    this.#child = spawn(program, ['peer'], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const answer = JSON.parse(line) as { values: string[]; stream: string | null; error: string }
      const stream = new Uint8Array(Buffer.from(answer.stream ?? '', 'base64'))
      this.#waiting.shift()?.resolve({ values: answer.values, stream, error: answer.error })
    })
    this.#child.on('close', (code) => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`gobcheck ended (${code}): ${this.#errors}`))
    })
  }

  ask({ register, types, stream }: Request): Promise<Answer> {
    const request = {
      register: register?.map(({ name, type }) => ({ name, type })) ?? [],
      types,
      stream: Buffer.from(stream).toString('base64'),
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin?.end()
    await closed
  }
}

/** The fixtures as this machine's Go makes them. */
export function goFixtures(program: string): Record<string, string> {
  const run = spawnSync(program, ['fixtures'], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`gobcheck fixtures failed:\n${run.stderr}`)
  return JSON.parse(run.stdout) as Record<string, string>
}
