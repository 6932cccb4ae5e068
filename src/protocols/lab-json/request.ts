import type { Arguments, Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import { isStream } from '../../core/stream.ts'
import { isJsonObject, member } from '../json-head/read-json.ts'
import { writeJson } from '../json-head/write-json.ts'

/** What a client asks. */
export interface LabRequest {
  /** `add`, or `math.add`. */
  readonly name: string
  readonly args: Arguments
}

/** The limits of what is written. */
export interface LabWriting {
  readonly maxMessageBytes: number
  readonly maxDepth: number
}

/** @throws RpcError `invalid_argument` that says which member is not what it should be. */
export function readRequest(value: unknown): LabRequest {
  if (!isJsonObject(value)) throw new RpcError('invalid_argument', 'a request is a JSON object')
  const name = member(value, 'method_name')
  if (typeof name !== 'string') throw new RpcError('invalid_argument', "'method_name' should be a string")
  const list = member(value, 'method_args') ?? []
  if (!Array.isArray(list))
    throw new RpcError('invalid_argument', "'method_args' should be a list of arguments, or null")
  const named = member(value, 'method_kwargs') ?? {}
  if (!isJsonObject(named))
    throw new RpcError(
      'invalid_argument',
      "'method_kwargs' should be an object of arguments by name, or null",
    )
  const entries = Object.entries(named)
  return { name, args: entries.length === 0 ? { list } : { list, named: new Map(entries) } }
}

/** @throws RpcError for what cannot travel or is too large; nothing of it was then sent. */
export function writeRequest(call: Call, { maxMessageBytes, maxDepth }: LabWriting): string {
  const { list, named } = call.args
  if (list.some(isStream)) throw new RpcError('unimplemented', "the protocol 'lab-json' cannot carry streams")
  const request = { method_name: call.name, method_args: list, method_kwargs: named ?? {} }
  return writeJson(request, { style: 'python', maxLength: maxMessageBytes, maxDepth: maxDepth + 2 })
}
