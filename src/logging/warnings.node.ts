import type { Logger, LogLevel } from '../core/log.ts'
import type { LogStream } from './log-stream.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * The logger of who gives none: warnings and errors to stderr, as a sentence on a terminal and as a line of JSON elsewhere,
 * in the form of pino's. A library that talks is a nuisance, and most processes never write a line of this; so it loads
 * nothing, where pino takes longer than all of Farcall.
 */
export function createWarnings(stream: LogStream = process.stderr): Logger {
  const write = stream.isTTY === true ? sentence : json
  const at = (level: LogLevel) => (fields: Fields, message: string) => {
    stream.write(`${write(level, fields, message)}\n`)
  }
  const nothing = () => {}
  return {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: at('warn'),
    error: at('error'),
    isLevelEnabled: (level) => level === 'warn' || level === 'error',
  }
}

function sentence(level: LogLevel, fields: Fields, message: string): string {
  const time = new Date().toTimeString().slice(0, 8)
  const thrown = fields['err'] ?? fields['error']
  const stack = thrown instanceof Error ? `\n${thrown.stack ?? thrown.message}` : ''
  return `[${time}] ${level.toUpperCase()}: ${message}${stack}`
}

function json(level: LogLevel, fields: Fields, message: string): string {
  const head = { level, time: new Date().toISOString(), pid: process.pid }
  const shown = Object.entries(fields).map(([name, value]) => [name, showable(value)])
  try {
    const line = { ...head, ...Object.fromEntries(shown), msg: message }
    return JSON.stringify(line, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  } catch {
    // Fields that refer to themselves; the message says in words what they say.
    return JSON.stringify({ ...head, msg: message })
  }
}

// An error's own message and stack are no properties that JSON would take.
function showable(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return {
    ...Object.fromEntries(Object.entries(value)),
    type: value.name,
    message: value.message,
    stack: value.stack,
  }
}
