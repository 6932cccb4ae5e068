import type { LogLevel } from '../core/log.ts'

/** What a line of the log with this `event` is about. */
export interface LogEvent {
  readonly level: LogLevel
  readonly meaning: string
}

/**
 * The stable names in the field `event` of a server's lines; those of others begin with `registry.`, `registrar.` or
 * `resolver.`. The message of a line says all that its fields say.
 */
export const serverEvents = {
  listening: { level: 'info', meaning: 'it listens; `target` has the real port' },
  service: { level: 'info', meaning: 'it offers a service; `methods` are its methods' },
  removed: { level: 'info', meaning: 'it offers a service no longer' },
  registered: { level: 'info', meaning: 'a registry has it; `endpoints` are what others dial' },
  weight: {
    level: 'info',
    meaning: 'it weighs something else now, by hand or by its load (`warn` where the load cannot be told)',
  },
  lost: { level: 'debug', meaning: 'a registry has lost it; it registers again' },
  unregistered: { level: 'debug', meaning: 'it has left a registry, or could not' },
  connected: { level: 'info', meaning: 'a peer speaks a protocol that it knows' },
  closed: {
    level: 'info',
    meaning: 'a connection ended in good order (`debug` where nothing was ever said)',
  },
  broken: {
    level: 'warn',
    meaning: 'a connection was broken off, or failed (`error` where that is a fault of ours)',
  },
  refused: {
    level: 'warn',
    meaning:
      'a connection was closed for what it sent, or because there are too many; a registry does not take the server',
  },
  failed: {
    level: 'error',
    meaning: 'a method threw what it does not declare; `correlationId` is what the caller was told',
  },
  report: { level: 'warn', meaning: 'a peer broke a protocol' },
  uncooperative: { level: 'warn', meaning: 'a generator did not end when its call was cancelled' },
  draining: { level: 'info', meaning: 'it stops: new calls go elsewhere' },
  'cut-off': { level: 'warn', meaning: 'calls had not ended in time and were cancelled' },
  stopped: { level: 'info', meaning: 'the end' },
} as const satisfies Record<string, LogEvent>

export type ServerEvent = keyof typeof serverEvents
