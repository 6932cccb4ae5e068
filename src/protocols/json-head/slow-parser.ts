import { RpcError } from '../../core/error.ts'

// As Python's own: reading a number takes more than time in proportion to its digits.
const maxDigits = 4300
const maxDepth = 1000

const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const space = /[ \n\r\t]*/y

const names: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])
const pythonNames: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...names,
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** Reads JSON with what `JSON.parse` cannot: integers without limit, and the names of Python's special numbers. */
export class SlowParser {
  readonly #text: string
  readonly #names: ReadonlyMap<string, unknown>
  #at = 0
  #depth = 0

  constructor(text: string, reading: 'json' | 'python') {
    this.#text = text
    this.#names = reading === 'python' ? pythonNames : names
  }

  /** @throws RpcError `invalid_argument`. */
  parse(): unknown {
    const value = this.#value()
    if (this.#peek() !== undefined) throw this.#unexpected()
    return value
  }

  #value(): unknown {
    const next = this.#peek()
    switch (next) {
      case '{':
        return this.#nested(() => this.#object())
      case '[':
        return this.#nested(() => this.#list())
      case '"':
        return this.#string()
      default:
        return this.#nameOrNumber()
    }
  }

  #nested<T>(read: () => T): T {
    this.#at++
    if (++this.#depth > maxDepth) throw new RpcError('resource_exhausted', 'the message is nested too deep')
    const value = read()
    this.#depth--
    return value
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    if (this.#take('}')) return object
    do {
      if (this.#peek() !== '"') throw this.#unexpected()
      const key = this.#string()
      if (!this.#take(':')) throw this.#unexpected()
      // Defined, not assigned: `__proto__` is a name like any other.
      Object.defineProperty(object, key, {
        value: this.#value(),
        writable: true,
        enumerable: true,
        configurable: true,
      })
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#unexpected()
    return object
  }

  #list(): unknown[] {
    const list: unknown[] = []
    if (this.#take(']')) return list
    do list.push(this.#value())
    while (this.#take(','))
    if (!this.#take(']')) throw this.#unexpected()
    return list
  }

  #string(): string {
    const text = this.#text
    const start = this.#at
    let end = start + 1
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    this.#at = end + 1
    try {
      return String(JSON.parse(text.slice(start, end + 1)))
    } catch {
      this.#at = start
      throw this.#unexpected()
    }
  }

  #nameOrNumber(): unknown {
    for (const [name, value] of this.#names) {
      if (!this.#text.startsWith(name, this.#at)) continue
      this.#at += name.length
      return value
    }
    return this.#number()
  }

  #number(): number | bigint {
    number.lastIndex = this.#at
    const match = number.exec(this.#text)
    if (match === null) throw this.#unexpected()
    this.#at = number.lastIndex
    const [text, fraction, exponent] = match
    const value = Number(text)
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(value)) return value
    if (text.length > maxDigits)
      throw new RpcError('invalid_argument', `a number has more than ${maxDigits} digits`)
    return BigInt(text)
  }

  #take(wanted: string): boolean {
    if (this.#peek() !== wanted) return false
    this.#at++
    return true
  }

  // The next character that is not white space.
  #peek(): string | undefined {
    space.lastIndex = this.#at
    space.exec(this.#text)
    this.#at = space.lastIndex
    return this.#text[this.#at]
  }

  #unexpected(): RpcError {
    const found = this.#text.slice(this.#at, this.#at + 20)
    const what = found === '' ? 'it ends too early' : `unexpected ${JSON.stringify(found)}`
    return new RpcError('invalid_argument', `the message is no valid JSON: ${what} at position ${this.#at}`)
  }
}
