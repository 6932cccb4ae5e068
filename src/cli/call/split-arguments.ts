import { UsageError } from '../usage-error.ts'

/** The flags that a command has itself. */
export interface OwnFlag {
  /** `--timeout`, or `-p`. */
  readonly names: readonly string[]
  readonly takesValue: boolean
}

/** What was typed behind `farcall call`. */
export interface SplitArguments {
  /** For the command itself. */
  readonly own: readonly string[]
  /** The method, and the arguments by position. */
  readonly list: readonly string[]
  /** The arguments by name; `true` for one that was given no value. */
  readonly named: ReadonlyMap<string, string | true>
}

/**
 * Tells the flags of the command from the arguments of the method. `--name value` and `--name=value` are arguments,
 * unless the command has a flag of that name; `--arg.name value` always is one. Behind `--` everything is an argument by
 * position.
 * @throws UsageError for an argument that is named twice, or a short flag that is none.
 */
export function splitArguments(words: readonly string[], flags: readonly OwnFlag[]): SplitArguments {
  const own: string[] = []
  const list: string[] = []
  const named = new Map<string, string | true>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (word === '--') {
      list.push(...words.slice(i + 1))
      break
    }
    const [name, inline] = cutAtEquals(word)
    const flag = flags.find(({ names }) => names.includes(name))
    if (flag !== undefined) {
      own.push(word)
      if (flag.takesValue && inline === undefined && i + 1 < words.length) own.push(words[++i] as string)
      continue
    }
    if (!isName(word)) {
      list.push(word)
      continue
    }
    const argument = name.replace(/^--(arg\.)?/, '')
    if (named.has(argument)) throw new UsageError(`argument '${argument}' is given twice`)
    const next = words[i + 1]
    const takesNext = inline === undefined && next !== undefined && !isName(next) && next !== '--'
    if (takesNext) i++
    named.set(argument, inline ?? (takesNext ? next : true))
  }
  return { own, list, named }
}

// Negative numbers and a lone dash are values; other short flags would be a mistake.
function isName(word: string): boolean {
  if (/^--[^-=]/.test(word)) return true
  if (/^-[a-z]$/i.test(word)) {
    throw new UsageError(
      `there is no flag ${word}`,
      `an argument that begins with a dash goes behind --, as in: farcall call text.upper -- ${word}`,
    )
  }
  return false
}

function cutAtEquals(word: string): [string, string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}
