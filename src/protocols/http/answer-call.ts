import { type Arguments, Call } from '../../core/call.ts'
import type { CodecSession } from '../../core/codec.ts'
import type { HttpRequest } from '../http-route.ts'
import { readCallFields } from './call-fields.ts'
import { HttpProblem } from './problem.ts'

/** The method that a path names. */
export interface NamedMethod {
  readonly service: string
  readonly method: string
}

/** `/math/add` and `/math.add` are method `add` of service `math`; `/add` names no service. */
export function methodOf(parts: readonly string[]): NamedMethod | undefined {
  const [first, second] = parts
  if (first === undefined || parts.length > 2) return undefined
  if (second !== undefined) return { service: first, method: second }
  const dot = first.lastIndexOf('.')
  if (dot <= 0) return { service: '', method: first }
  return { service: first.slice(0, dot), method: first.slice(dot + 1) }
}

/**
 * Makes the call that a request stands for. Its arguments are decoded when they are first asked for.
 * @throws HttpProblem 400 for fields that make no sense, RpcError for more metadata than the limits allow.
 */
export function readCall(request: HttpRequest, named: NamedMethod, codec: CodecSession): Call {
  const { headers, body, room } = request
  const head = readCallFields(headers)
  const startedAt = room.clock.recent()
  return new Call({
    clock: room.clock,
    ...named,
    args: { decode: () => readArguments(body, head.named, codec) },
    deadline: head.timeoutMs === undefined ? Number.POSITIVE_INFINITY : startedAt + head.timeoutMs,
    bounded: head.bounded,
    oneway: head.oneway,
    peer: request.peer,
    metadata: request.metadata,
    key: head.key,
    attempt: head.attempt,
    startedAt,
    phase: 'read',
  })
}

/** The one type of body that a page of another site cannot send unasked. */
export function isJson(type: string | undefined): boolean {
  return type !== undefined && /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)
}

// A list is the arguments in their order; anything else is a message that stands for all of them, as in the protocols
// that always send one.
function readArguments(body: Uint8Array, named: boolean, codec: CodecSession): Arguments {
  if (body.length === 0) return { list: [] }
  const value = codec.decode(body, 0, body.length)
  if (Array.isArray(value)) return { list: value as unknown[] }
  if (!named) return { list: [value], message: true }
  if (typeof value !== 'object' || value === null) {
    throw new HttpProblem(400, 'arguments by name are a JSON object')
  }
  return { list: [], named: new Map(Object.entries(value)) }
}
