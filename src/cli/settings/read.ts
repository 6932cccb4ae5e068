import { UsageError } from '../usage-error.ts'
import { type Kind, logLevels } from './table.ts'

/** What a setting comes to. */
export type Value = string | number | boolean | readonly string[] | Readonly<Record<string, string>>

/**
 * Reads a value of text, as a flag or an environment variable has it.
 * @param where The flag, variable or place in a file, for the error.
 * @throws UsageError that says what is wrong.
 */
export function readText(kind: Kind, text: string, where: string): Value {
  switch (kind) {
    case 'text':
      if (text === '') throw new UsageError(`${where} is empty`)
      return text
    case 'texts':
      // Several addresses of one registry have commas between them, so lists have spaces.
      return text.split(/\s+/).filter((one) => one !== '')
    case 'names':
      return text.split(/[\s,]+/).filter((one) => one !== '')
    case 'pairs':
      return readPairs(text.split(','), where)
    case 'port':
      return readPort(text, where)
    case 'number':
      return readNumber(text, where)
    case 'level':
      return readLevel(text, where)
    case 'switch':
      return readSwitch(text, where)
  }
}

/** Reads what a repeated flag was given. @throws UsageError */
export function readTexts(kind: Kind, texts: readonly string[], where: string): Value {
  if (kind === 'texts') return texts
  if (kind === 'names') return readText(kind, texts.join(','), where)
  if (kind === 'pairs') return readPairs(texts, where)
  return readText(kind, texts.at(-1) ?? '', where)
}

/** Reads a value of a configuration file, which has types of its own. @throws UsageError */
export function readValue(kind: Kind, value: unknown, where: string): Value {
  const isList = kind === 'texts' || kind === 'names'
  if (isList && Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  if (kind === 'pairs' && isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]))
  }
  if (kind === 'switch' && typeof value === 'boolean') return value
  if (typeof value === 'string') return kind === 'texts' ? [value] : readText(kind, value, where)
  if (typeof value === 'number') return readText(kind, String(value), where)
  throw new UsageError(`${where} should be ${expected[kind]}, got ${JSON.stringify(value)}`)
}

const expected: Readonly<Record<Kind, string>> = {
  text: 'a text',
  texts: 'a text or a list of texts',
  names: 'names with commas between them, or a list of names',
  pairs: 'a map of texts',
  number: 'a number',
  port: 'a port',
  level: `one of ${logLevels.join(', ')}`,
  switch: 'true or false',
}

/** Reads `key=value` pairs. @throws UsageError */
export function readPairs(texts: readonly string[], where: string): Record<string, string> {
  const pairs: [string, string][] = texts.map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw new UsageError(`${where} should be key=value, got '${text}'`)
    return [text.slice(0, at).trim(), text.slice(at + 1)]
  })
  return Object.fromEntries(pairs)
}

function readPort(text: string, where: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= 65_535) return port
  // Kubernetes sets FARCALL_PORT=tcp://10.0.0.1:8089 for a service that is called farcall.
  const next = text.startsWith('tcp://')
    ? 'Kubernetes sets it for a service of that name: put enableServiceLinks: false into the pod, or give -p'
    : 'give a port such as 8089, or 0 for any free one'
  throw new UsageError(`${where} should be a port from 0 to 65535, got '${text}'`, next)
}

function readNumber(text: string, where: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new UsageError(`${where} should be a number of at least 0, got '${text}'`)
}

function readLevel(text: string, where: string): string {
  if ((logLevels as readonly string[]).includes(text)) return text
  throw new UsageError(`${where} should be one of ${logLevels.join(', ')}, got '${text}'`)
}

function readSwitch(text: string, where: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new UsageError(`${where} should be true or false, got '${text}'`)
}

/** Whether a value of a file holds keys and values. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
