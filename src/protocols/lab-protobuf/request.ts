import { decodeMessage } from '../../codecs/protobuf/index.ts'
import type { Arguments } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { listNames, showName } from '../../core/names.ts'
import { labRegistryService } from '../../discovery/api/lab-registry.ts'
import { splitName } from '../json-head/serve-call.ts'
import { type RequestType, requestTypes } from './detect.ts'
import type { Incoming } from './incoming.ts'
import { answerFor, emptyMessage, fieldFor, type Message, present } from './payload.ts'
import type { LabSchema, PayloadField } from './schema.ts'

/** A request, as the call that it stands for. */
export interface LabRequest {
  readonly type: RequestType
  readonly service: string
  readonly method: string
  readonly args: Arguments
  /** Where the answer of a call is to be put; undefined where the messages have no place for one. */
  readonly answer: PayloadField | undefined
}

/**
 * Whether a request that may go on is answered all the same, because all that counts of it is there. It may be a
 * beginning only that happens to be whole: what is missing is still to come then, or is not meant to come at all.
 */
export function isComplete(schema: LabSchema, incoming: Incoming): boolean {
  const has = (number: number) => {
    const span = incoming.span(number)
    return span !== undefined && span.end > span.start
  }
  switch (typeOf(incoming)) {
    case undefined:
      return false
    case 'call':
      return has(2) && schema.request.payloads.some(({ number }) => incoming.span(number) !== undefined)
    case 'register':
      return has(2) && has(4)
    case 'discover':
      return has(2)
    case 'heartbeat':
      return has(4)
    default:
      // Nothing that follows makes it something else.
      return true
  }
}

function typeOf(incoming: Incoming): string | undefined {
  const span = incoming.span(1)
  return span === undefined
    ? undefined
    : String.fromCharCode(...incoming.bytes.subarray(span.start, Math.min(span.end, span.start + 16)))
}

/** @throws RpcError that says why this is no request. */
export function readRequest(schema: LabSchema, bytes: Uint8Array, limits: Limits): LabRequest {
  const { type: messageType, names } = schema.request
  const message = decodeMessage(messageType, bytes, limits)
  const type = requestTypes.find((known) => known === message[names.type])
  if (type === undefined)
    throw invalid(`unknown type ${showName(String(message[names.type]))}; known: ${requestTypes.join(', ')}`)
  const service = message[names.service] as string
  if (type === 'call') return readCall(schema, message, limits)
  if (type !== 'heartbeat' && service === '') throw invalid(`a request '${type}' needs a service_name`)
  const server = message[names.server] as Message | undefined
  if (type !== 'discover' && server === undefined) throw invalid(`a request '${type}' needs a server`)
  const value = { ...(type !== 'heartbeat' && { service }), ...(type !== 'discover' && server) }
  const args = { list: [value], message: true }
  return { type, service: labRegistryService, method: type, args, answer: undefined }
}

function readCall(schema: LabSchema, message: Message, limits: Limits): LabRequest {
  const { names, payloads } = schema.request
  const name = message[names.service] as string
  if (name === '') throw invalid("a request 'call' needs a service_name")
  const target = splitName(name)
  const found = present(message, payloads)
  const named = fieldFor(target.method, payloads)
  const field = found.length === 1 ? found[0] : named
  if (found.length > 1 && (named === undefined || !found.includes(named)))
    throw invalid(
      `several fields are set, and none is for ${showName(name)}: ${listNames(found.map((one) => one.name))}`,
    )
  // An empty message may be left out: it is one all the same.
  const value =
    field === undefined ? undefined : (message[field.property] ?? emptyMessage(field.type, limits))
  const args = value === undefined ? { list: [] } : { list: [value], message: true, typed: true }
  return { type: 'call', ...target, args, answer: answerFor(schema, target.method, field) }
}

function invalid(message: string): RpcError {
  return new RpcError('invalid_argument', message, { phase: 'read' })
}
