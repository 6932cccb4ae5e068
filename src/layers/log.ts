import type { Arguments, Call, Outcome } from '../core/call.ts'
import type { ErrorCode } from '../core/code.ts'
import { isPending, type Layer, type Reply } from '../core/layer.ts'
import type { Logger, LogLevel } from '../core/log.ts'
import { isStream } from '../core/stream.ts'
import { checkNumbers } from './check-options.ts'
import { type ShowOptions, show } from './show.ts'

export interface LogCallsOptions {
  readonly logger: Logger
  /** The level of calls that succeed, or were cancelled. Default `info`. */
  readonly level?: LogLevel
  /**
   * What must not be shown of arguments and results: `password` hides it wherever it occurs, `user.card` only there.
   * An argument is called by its parameter's name where that is known, else by its position. Case does not matter.
   * Default: password, passwd, secret, token, authorization, apikey, api_key.
   */
  readonly redact?: readonly string[]
  /** The longest text of the arguments, and of the result. Default 200 characters. 0 leaves both out. */
  readonly maxChars?: number
}

/** What {@link logCalls} hides where nothing else is said. */
export const alwaysSecret: readonly string[] = [
  'password',
  'passwd',
  'secret',
  'token',
  'authorization',
  'apikey',
  'api_key',
]

/**
 * Logs every call when it has ended: its name, peer, arguments, result and duration. Failures that are a server's own
 * fault are errors, the others warnings. Metadata is never logged: credentials travel there.
 */
export function logCalls(options: LogCallsOptions): Layer {
  const { logger, level = 'info', redact = alwaysSecret, maxChars = 200 } = options
  checkNumbers('logCalls', 0, { maxChars })
  const shown: ShowOptions = { maxChars, redact: new Set(redact.map((path) => path.toLowerCase())) }
  const isOn = (wanted: LogLevel) => logger.isLevelEnabled?.(wanted) ?? true

  function write(call: Call, { error, startedAt, endedAt }: Outcome, result: string | undefined): void {
    const at = error === undefined ? level : levelOf(error.code, level)
    if (!isOn(at)) return
    const fields: Record<string, unknown> = {
      call: call.name,
      ms: Math.round((endedAt - startedAt) * 100) / 100,
    }
    if (call.peer !== undefined) fields['peer'] = call.peer.address
    if (call.peer?.protocol !== undefined) fields['protocol'] = call.peer.protocol
    if (call.attempt > 1) fields['attempt'] = call.attempt
    if (maxChars > 0) fields['arguments'] = showArguments(call, shown)
    if (error !== undefined) Object.assign(fields, { code: error.code, error: error.message.slice(0, 500) })
    else if (result !== undefined && maxChars > 0) fields['result'] = result
    logger[at](fields, error === undefined ? 'call' : 'call failed')
  }

  return (next) => (call) => {
    let result: string | undefined
    const look = (value: Reply) => {
      result = isStream(value) ? '[stream]' : show(value, shown)
    }
    // A caller's session ends the call first and gives its reply then; both are there when the turn is over.
    call.onEnd((outcome) => call.clock.defer(() => write(call, outcome, result)))
    const reply = next(call)
    if (isOn(level) && maxChars > 0) {
      // Only looks: what it gives on is the reply itself, whose failure is for the caller to handle.
      if (isPending(reply)) reply.then(look, () => {})
      else look(reply)
    }
    return reply
  }
}

function showArguments(call: Call, shown: ShowOptions): string {
  let args: Arguments
  try {
    args = call.args
  } catch {
    return '(do not decode)'
  }
  const params = call.info?.params
  const names = params ?? []
  const given: [string, unknown][] = args.list.map((value, i) => [names[i] ?? String(i), value])
  if (args.named !== undefined) given.push(...args.named)
  if (params === undefined && args.named === undefined && args.message !== true) return show(args.list, shown)
  return show(args.message === true ? args.list[0] : new Map(given), shown).replace(/^Map/, '')
}

function levelOf(code: ErrorCode, quiet: LogLevel): LogLevel {
  switch (code) {
    case 'cancelled':
      return quiet
    case 'internal':
    case 'unknown':
    case 'data_loss':
      return 'error'
    default:
      return 'warn'
  }
}
