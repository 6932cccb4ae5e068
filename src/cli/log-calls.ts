import { isInternalName } from '../core/names.ts'
import { alwaysSecret } from '../layers/log.ts'
import { type Layer, type Logger, type LogLevel, logCalls } from '../node.ts'

/**
 * The layer that logs calls, its lines as sentences: `math.add {"a":1,"b":2} → 13  0.26 ms  127.0.0.1:46186`. Calls of
 * Farcall's own services are mostly tools that look around, or heartbeats, and so at `debug`.
 * @param redact Names that are hidden beside those that always are.
 */
export function logCallsReadably(logger: Logger, level: LogLevel, redact: readonly string[] = []): Layer {
  const options = { logger: inSentences(logger), redact: [...alwaysSecret, ...redact] }
  const usual = logCalls({ ...options, level })
  const quiet = logCalls({ ...options, level: 'debug' })
  return (next) => {
    const logged = usual(next)
    const hardly = quiet(next)
    return (call) => (isInternalName(call.service) ? hardly(call) : logged(call))
  }
}

function inSentences(logger: Logger): Logger {
  const write = (at: LogLevel) => (fields: Readonly<Record<string, unknown>>) =>
    logger[at]({ event: 'call', ...fields }, sentence(fields))
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (asked) => logger.isLevelEnabled?.(asked) ?? true,
  }
}

function sentence(fields: Readonly<Record<string, unknown>>): string {
  const { call, arguments: given, result, code, error, ms, peer, protocol, attempt } = fields
  const came = code === undefined ? `→ ${text(result ?? 'nothing')}` : `failed: ${text(code)}: ${text(error)}`
  const again = attempt === undefined ? '' : `  attempt ${text(attempt)}`
  // What older peers call by is worth seeing.
  const spoken = protocol === undefined || protocol === 'farcall' ? '' : ` ${text(protocol)}`
  const from = peer === undefined ? '' : `  ${text(peer)}${spoken}`
  return `${text(call)} ${text(given ?? '')} ${came}  ${text(ms)} ms${from}${again}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
