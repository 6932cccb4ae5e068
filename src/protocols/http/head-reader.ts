import { Fields } from './fields.ts'
import { HttpProblem } from './problem.ts'

/** All of a head, first line and fields. The usual limit of servers; ours of metadata is 8 KiB. */
export const maxHeadBytes = 16 * 1024
/** How many fields a head may have. */
export const maxFields = 100

const lf = 0x0a
const cr = 0x0d
const tab = 0x09
const space = 0x20
const del = 0x7f

/** Reads the lines of a head, as they come: a first line (but not of trailers), fields, an empty line. */
export class HeadReader {
  firstLine: string | undefined = undefined
  readonly fields = new Fields()
  readonly #trailers: boolean
  #begun = false
  #count = 0
  #bytes = 0

  constructor(trailers = false) {
    this.#trailers = trailers
  }

  /** Whether something of it has come. */
  get begun(): boolean {
    return this.#begun
  }

  /**
   * Takes in one line, without its end; true where it was the last.
   * @throws HttpProblem for what is not allowed in a head, or too much of it.
   */
  line(bytes: Uint8Array, start: number, end: number): boolean {
    this.#charge(end - start + 2)
    const text = readLine(bytes, start, end)
    if (this.firstLine === undefined && !this.#trailers) {
      // One empty line before a request is old custom, and means nothing.
      if (text === '' && !this.#begun) this.#begun = true
      else if (text === '') throw new HttpProblem(400, 'the first line of a message is empty')
      else this.firstLine = text
      return false
    }
    if (text === '') return true
    if (++this.#count > maxFields) throw new HttpProblem(431, `more than ${maxFields} header fields`)
    this.#field(text)
    return false
  }

  /** Sees to it that a line that has not come to its end is not too long either. */
  check(unfinished: number): void {
    if (this.#bytes + unfinished > maxHeadBytes) throw this.#tooLong()
  }

  #charge(bytes: number): void {
    this.check(bytes)
    this.#bytes += bytes
  }

  #tooLong(): HttpProblem {
    const inFirstLine = this.firstLine === undefined && !this.#trailers
    return inFirstLine
      ? new HttpProblem(414, `the request line is longer than ${maxHeadBytes} bytes`)
      : new HttpProblem(431, `the header fields are longer than ${maxHeadBytes} bytes`)
  }

  #field(text: string): void {
    const first = text.charCodeAt(0)
    if (first === space || first === tab) {
      throw new HttpProblem(400, 'a header field goes on in the next line; that is not done any more')
    }
    const colon = text.indexOf(':')
    const name = text.slice(0, colon)
    if (colon <= 0 || !isToken(name)) {
      throw new HttpProblem(400, 'a header field should be a name, a colon and a value')
    }
    this.fields.add(name.toLowerCase(), trim(text, colon + 1))
  }
}

/** Where the next line ends, without its CRLF; -1 where it has not come yet. */
export function findLine(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i]
    if (byte === lf) throw new HttpProblem(400, 'a line ends in a bare LF; lines end in CR LF')
    if (byte !== cr) continue
    if (i + 1 === end) return -1
    if (bytes[i + 1] !== lf) throw new HttpProblem(400, 'there is a CR without an LF; lines end in CR LF')
    return i
  }
  return -1
}

/** Whether a text is a token of HTTP: a name of a field or method. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text)
}

// As Latin-1, which is what a head is; bytes that could forge lines are none of it.
function readLine(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if ((byte < space && byte !== tab) || byte === del) {
      throw new HttpProblem(400, 'there is a control character in the head of the message')
    }
    text += String.fromCharCode(byte)
  }
  return text
}

function trim(text: string, from: number): string {
  let start = from
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === space || code === tab
}
