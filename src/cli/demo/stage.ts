import { isDeepStrictEqual } from 'node:util'
import { paint } from '../output/style.ts'
import { cut, terminalWidth } from '../output/table.ts'
import { showBriefly } from '../output/value.ts'

/** Where the demo speaks, and where it keeps what was wrong. */
export class Stage {
  readonly wrong: string[] = []
  /** Calls under load whose results were compared, too. */
  underLoad = 0
  #checked = 0
  #block: readonly string[] = []
  #chapters = 0

  /** How many results were compared with what they should be. */
  get checked(): number {
    return this.#checked
  }

  /** A new part of the story. */
  chapter(title: string): void {
    this.say('')
    this.say(paint('bold', `${++this.#chapters}  ${title}`))
  }

  /** One line; what stands below in the live block stays below. */
  say(line: string): void {
    this.#erase()
    process.stdout.write(`${cut(line, terminalWidth())}\n`)
    this.#draw()
  }

  /** Replaces the live block: on a terminal only, elsewhere there is nothing to go back to. */
  live(lines: readonly string[]): void {
    if (!process.stdout.isTTY) return
    this.#erase()
    this.#block = lines.map((line) => cut(line, terminalWidth()))
    this.#draw()
  }

  /** Leaves the live block as it stands, or prints it where it was not shown. */
  settle(lines: readonly string[]): void {
    this.#erase()
    this.#block = []
    for (const line of lines) this.say(line)
  }

  /** Compares a result with what it should be; a wrong one is told at the end. @returns whether it is right */
  check(what: string, actual: unknown, wanted: unknown): boolean {
    this.#checked++
    const right = isDeepStrictEqual(actual, wanted)
    if (!right) this.wrong.push(`${what} gave ${showBriefly(actual)}, not ${showBriefly(wanted)}`)
    return right
  }

  #erase(): void {
    if (this.#block.length > 0) process.stdout.write(`\r\u001b[${this.#block.length}A\u001b[J`)
  }

  #draw(): void {
    for (const line of this.#block) process.stdout.write(`${line}\n`)
  }
}

/** Milliseconds as people read them. */
export function ms(time: number): string {
  return time < 10 ? `${time.toFixed(1)} ms` : `${Math.round(time)} ms`
}
