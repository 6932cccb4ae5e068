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
    const [name, inline] = cutValue(word)
    const flag = ownFlag(word, flags)
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
    const takesNext = inline === undefined && next !== undefined && isValue(next, flags)
    if (takesNext) i++
    named.set(argument, inline ?? (takesNext ? next : true))
  }
  return { own, list, named }
}

function ownFlag(word: string, flags: readonly OwnFlag[]): OwnFlag | undefined {
  const [name, inline] = cutValue(word)
  const flag = flags.find(({ names }) => names.includes(name))
  // Behind a short flag that takes no value there is none: it is no flag at all.
  return flag?.takesValue === false && inline !== undefined && !name.startsWith('--') ? undefined : flag
}

function isValue(word: string, flags: readonly OwnFlag[]): boolean {
  return word !== '--' && ownFlag(word, flags) === undefined && !isName(word)
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

/** `--timeout=5` and `-p8089` are a flag and its value. */
function cutValue(word: string): [string, string | undefined] {
  if (/^-[a-z]./i.test(word)) return [word.slice(0, 2), word.slice(2)]
  const at = word.startsWith('--') ? word.indexOf('=') : -1
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}
