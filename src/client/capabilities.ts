import type { Call } from '../core/call.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import { isStream } from '../core/stream.ts'
import type { ClientProtocol } from '../protocols/protocol.ts'

// Tracing goes along unasked; where it cannot, nobody misses it.
const dispensable: ReadonlySet<string> = new Set(['traceparent', 'tracestate', 'baggage'])

/** Whether every call fits, so that none need be looked at. Deadlines and cancelling always work on this side. */
export function carriesAll({ can }: ClientProtocol): boolean {
  return can.streams && can.metadata
}

/** Why a protocol cannot carry a call: an error that names both. Undefined if it can. */
export function lackOf(protocol: ClientProtocol, call: Call): RpcError | undefined {
  if (!protocol.can.streams && needsStreams(call))
    return lack(protocol, call, 'streams', 'use a method without streams')
  if (!protocol.can.metadata) {
    const name = neededMetadata(call)
    if (name !== undefined) return lack(protocol, call, `metadata ('${name}')`, 'leave it out')
  }
  return undefined
}

function needsStreams({ info, args }: Call): boolean {
  if (info?.input === 'stream' || info?.output === 'stream') return true
  if (args.list.some(isStream)) return true
  return args.named !== undefined && [...args.named.values()].some(isStream)
}

function neededMetadata(call: Call): string | undefined {
  for (const [name] of call.givenMetadata ?? []) if (!dispensable.has(name)) return name
  return undefined
}

function lack(protocol: ClientProtocol, call: Call, feature: string, instead: string): RpcError {
  const message = `${call.name}: the protocol '${protocol.name}' cannot carry ${feature}; ${instead}, or call over another protocol`
  return markNotExecuted(new RpcError('unimplemented', message))
}
