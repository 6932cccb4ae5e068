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
  // The message of a server's own event says in words all that its fields say; only an error has more to tell.
  const brief = prettyFactory({ ...options, hideObject: true })
  const format = (line: string): string => {
    const event = /"event":"([a-z-]+)"/.exec(line)?.[1]
    const isBrief = event !== undefined && Object.hasOwn(serverEvents, event) && !line.includes('"err":{')
    return isBrief ? brief(line) : full(line)
  }
  return {
    write(line) {
      const shown = format(line)
      stream.write(shown.endsWith('\n') ? shown : `${shown}\n`)
    },
  }
}
