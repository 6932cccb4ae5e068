import { writeUtf8 } from '#platform'
import type { Output } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import { isToken } from './head-reader.ts'

/** The fields of a head that is being written. */
export type OutgoingFields = Iterable<readonly [string, string]>

const reasons: Readonly<Record<number, string>> = {
  100: 'Continue',
  200: 'OK',
  202: 'Accepted',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/**
 * Writes the head of a request or a response.
 * @throws RpcError `internal` for a field that would break out of its line; nothing is then written.
 */
export function writeHead(output: Output, firstLine: string, fields: OutgoingFields): void {
  let text = `${firstLine}\r\n`
  for (const [name, value] of fields) {
    if (!isToken(name) || !/^[\t -~]*$/.test(value)) {
      throw new RpcError('internal', `the header field ${JSON.stringify(name.slice(0, 64))} cannot be sent`)
    }
    text += `${name}: ${value}\r\n`
  }
  writeAscii(output, `${text}\r\n`)
}

/** The first line of a response. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${reasons[status] ?? ''}`
}

/** Begins a chunk of that many bytes, which come next. */
export function writeChunkHead(output: Output, length: number): void {
  writeAscii(output, `${length.toString(16)}\r\n`)
}

export function writeChunkEnd(output: Output): void {
  writeAscii(output, '\r\n')
}

/** The last chunk of a body, and no trailers. */
export function writeLastChunk(output: Output): void {
  writeAscii(output, '0\r\n\r\n')
}

export function writeBytes(output: Output, bytes: Uint8Array): void {
  output.ensure(bytes.length)
  output.bytes.set(bytes, output.at)
  output.at += bytes.length
}

/** Text that is known to be ASCII. */
export function writeAscii(output: Output, text: string): void {
  output.ensure(text.length)
  output.at += writeUtf8(output.bytes, text, output.at)
}
