import { MemoryOutput, type Output } from '../../core/bytes/output.ts'
import type { Call } from '../../core/call.ts'
import type { CodecSession } from '../../core/codec.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { isStream } from '../../core/stream.ts'
import { callFields, writeCallFields } from './call-fields.ts'
import { writeHead } from './encode.ts'

/**
 * The arguments of a call as the body of its request.
 * @throws RpcError `unimplemented` for a stream among them, or arguments by position and by name together;
 * `invalid_argument` for what cannot travel.
 */
export function encodeArguments(call: Call, codec: CodecSession): Uint8Array {
  const { list, named, message } = call.args
  if (list.some(isStream) || (named !== undefined && [...named.values()].some(isStream))) {
    throw new RpcError(
      'unimplemented',
      `${call.name} takes a stream, which the protocol 'http' cannot carry; call it over farcall (tcp://…)`,
    )
  }
  const isNamed = named !== undefined && named.size > 0
  if (isNamed && list.length > 0) {
    throw new RpcError(
      'unimplemented',
      `${call.name}: the protocol 'http' carries arguments by position or by name, not both`,
    )
  }
  const output = new MemoryOutput(256)
  codec.encode(isNamed ? Object.fromEntries(named) : message === true ? list[0] : list, output)
  return output.bytes.subarray(0, output.at)
}

export interface RequestInit {
  readonly call: Call
  readonly host: string
  readonly length: number
  readonly limits: Limits
}

/** @throws RpcError for metadata that cannot travel. */
export function writeRequest(output: Output, { call, host, length, limits }: RequestInit): void {
  const { named } = call.args
  const fields: (readonly [string, string])[] = [
    ['host', /^[\w.:[\]-]+$/.test(host) ? host : 'localhost'],
    ['content-type', 'application/json'],
    ['content-length', String(length)],
    ...writeCallFields(call, limits),
  ]
  if (named !== undefined && named.size > 0) fields.push([callFields.arguments, 'named'])
  writeHead(output, `POST ${pathOf(call)} HTTP/1.1`, fields)
}

function pathOf({ service, method }: Call): string {
  // A bare name with a dot in it would be taken apart.
  const path = service === '' ? [method] : [service, method]
  return `/${path.map((part) => encodeURIComponent(part)).join('/')}`
}
