import { prettyFactory } from 'pino-pretty'
import { serverEvents } from './events.ts'
import type { LogStream } from './log-stream.ts'

/** Turns pino's lines into ones for people, in colour where that is shown, in this thread: no line is ever late. */
export function prettyLines(stream: LogStream): { write(line: string): void } {
  const colorize = stream.isTTY === true && process.env['NO_COLOR'] === undefined
  const options = {
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,event',
    singleLine: true,
  }
  const full = prettyFactory(options)
  // The message of an event of Farcall's own says in words what its fields say; only an error has more to tell.
  const brief = prettyFactory({ ...options, hideObject: true })
  const format = (line: string): string => {
    const event = /"event":"([a-z._-]+)"/.exec(line)?.[1]
    const isBrief = event !== undefined && isOurs(event) && !line.includes('"err":{')
    return isBrief ? brief(line) : full(line)
  }
  return {
    write(line) {
      const shown = format(line)
      stream.write(shown.endsWith('\n') ? shown : `${shown}\n`)
    },
  }
}

function isOurs(event: string): boolean {
  return Object.hasOwn(serverEvents, event) || /^(call|client|registrar|registry|resolver)(\.|$)/.test(event)
}
