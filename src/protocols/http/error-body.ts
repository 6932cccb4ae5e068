import { MemoryOutput } from '../../core/bytes/output.ts'
import type { CodecSession } from '../../core/codec.ts'
import { isErrorCode } from '../../core/code.ts'
import { isNotExecuted, markNotExecuted, remoteError, RpcError } from '../../core/error.ts'
import { callFields } from './call-fields.ts'
import { codeOfStatus, HttpProblem, statusOf } from './problem.ts'
import type { ResponseStart } from './response-writer.ts'

// A message that is longer than this says nothing more; it must fit into any answer.
const maxMessageLength = 100_000

/** An error as an object: what stands in the body of an answer, and in the last line of a stream. */
export function errorValue({ code, message, reason, details, metadata }: RpcError): Record<string, unknown> {
  return {
    code,
    message: message.slice(0, maxMessageLength),
    ...(reason !== undefined && { reason }),
    ...(details !== undefined && { details }),
    ...(metadata !== undefined && { metadata: { ...metadata } }),
  }
}

/** The same in bytes; details that cannot travel are left out. */
export function encodeError(codec: CodecSession, error: RpcError): Uint8Array {
  const output = new MemoryOutput(512)
  const value = errorValue(error)
  try {
    codec.encode(value, output)
  } catch (thrown) {
    const { code, message } = value
    const why = `its details were left out: ${RpcError.from(thrown).message}`
    codec.encode({ code, message: `${String(message)} (${why})` }, output)
  }
  endLine(output)
  return output.take()
}

/** A body is a line, for whoever reads it in a terminal. */
export function endLine(output: MemoryOutput): void {
  output.ensure(1)
  output.bytes[output.at++] = 0x0a
}

/** How an answer that is an error begins. */
export function errorStart(error: RpcError): ResponseStart {
  const status = statusOf(error)
  const fields: [string, string][] = [['content-type', 'application/json']]
  if (isNotExecuted(error)) fields.push([callFields.notExecuted, 'true'])
  if (status === 401) fields.push(['www-authenticate', 'Bearer'])
  if (error instanceof HttpProblem) fields.push(...Object.entries(error.headers))
  return { status, fields }
}

/** The error that an object stands for; undefined where it is none of ours. */
export function readErrorValue(value: unknown): RpcError | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { code, message, reason, details, metadata } = value as Record<string, unknown>
  if (!isErrorCode(code) || typeof message !== 'string') return undefined
  return remoteError(code, message, {
    phase: 'receive',
    details,
    reason: typeof reason === 'string' ? reason : undefined,
    metadata: readTexts(metadata),
  })
}

/** The error of an answer by its status alone: it came from a proxy, or a server of another kind. */
export function errorOfStatus(status: number, text: string): RpcError {
  const shown = text.replace(/[^ -~]+/g, ' ').trim()
  const said = shown === '' ? '' : `: ${shown.slice(0, 200)}`
  return remoteError(codeOfStatus(status), `the answer has status ${status} and no error of Farcall${said}`, {
    phase: 'receive',
  })
}

/** The same error with the mark that its session said: it certainly was not executed. */
export function marked(error: RpcError, notExecuted: boolean): RpcError {
  return notExecuted ? markNotExecuted(error) : error
}

function readTexts(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return texts.length === 0 ? undefined : Object.fromEntries(texts)
}
