import type { Arguments } from '../../core/call.ts'
import { isJsonObject, member } from '../json-head/read-json.ts'
import { invalidRequest, type Refusal } from './errors.ts'

/** `1.0` is that of Go's net/rpc/jsonrpc. */
export type JsonRpcVersion = '2.0' | '1.0'

/** Whom an answer is for. */
export interface Addressee {
  readonly version: JsonRpcVersion
  readonly id: unknown
}

/** A JSON value that a server was sent. */
export type Incoming =
  | {
      readonly kind: 'request'
      readonly to: Addressee
      /** Nobody waits for an answer. */
      readonly notification: boolean
      readonly name: string
      readonly args: Arguments
    }
  | { readonly kind: 'invalid'; readonly to: Addressee; readonly refusal: Refusal }
  /** An answer, which nobody asked for: to answer that would go on for ever. */
  | { readonly kind: 'response' }

/** Reads one request; `version` is that of an answer to what cannot be read. */
export function readRequest(value: unknown, version: JsonRpcVersion): Incoming {
  if (!isJsonObject(value)) return invalid({ version, id: null }, 'it should be an object')
  const said = member(value, 'jsonrpc')
  const name = member(value, 'method')
  const to: Addressee = { version: versionOf(said, name) ?? version, id: readId(value, said) }
  if (name === undefined && (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')))
    return { kind: 'response' }
  if (said !== undefined && said !== '2.0') return invalid(to, '\'jsonrpc\' should be "2.0"')
  if (typeof name !== 'string') return invalid(to, "'method' should be a string")
  const args = readParams(member(value, 'params'), to.version)
  if (args === undefined) return invalid(to, "'params' should be an array or an object")
  if (to.id === undefined) return { kind: 'request', to, notification: true, name, args }
  if (to.version === '2.0' && typeof to.id === 'object' && to.id !== null)
    return invalid({ ...to, id: null }, "'id' should be a string, a number or null")
  return { kind: 'request', to, notification: false, name, args }
}

// Undefined for what is so far from a request that it is of no version.
function versionOf(jsonrpc: unknown, method: unknown): JsonRpcVersion | undefined {
  if (jsonrpc !== undefined) return '2.0'
  return typeof method === 'string' ? '1.0' : undefined
}

// In 1.0 a notification has the id null, in 2.0 none at all.
function readId(value: Readonly<Record<string, unknown>>, jsonrpc: unknown): unknown {
  const id = member(value, 'id')
  return jsonrpc === undefined && id === null ? undefined : id
}

function readParams(params: unknown, version: JsonRpcVersion): Arguments | undefined {
  if (params === undefined || params === null) return { list: [] }
  // Go's single parameter is a struct that stands for all the arguments.
  if (Array.isArray(params)) return { list: params, message: version === '1.0' && params.length === 1 }
  if (!isJsonObject(params)) return undefined
  return { list: [], named: new Map(Object.entries(params)) }
}

function invalid(to: Addressee, why: string): Incoming {
  return { kind: 'invalid', to: { ...to, id: to.id ?? null }, refusal: invalidRequest(why) }
}

/** The id of a message of which only the beginning is known, if it is a number that stands there. */
export function idInHead(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): number | undefined {
  const text = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 200)))
  const found = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/.exec(text)
  return found === null ? undefined : Number(found[1])
}
