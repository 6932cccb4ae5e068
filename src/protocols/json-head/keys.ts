import { type Detect, maxHeadBytes } from '../../core/detect.ts'

/** The keys by which the dialects of JSON are told apart, each the mark of one protocol. */
export type MarkKey = 'MagicNumber' | 'method' | 'method_name'

/** What the beginning of a connection shows of its JSON. */
export type JsonHead =
  /** Among the keys of its objects this mark comes first; `batch` where they stand in an array. */
  | { readonly kind: 'marked'; readonly key: MarkKey; readonly batch: boolean }
  /** So far it could be one of the dialects. */
  | { readonly kind: 'more' }
  /** It is not JSON, or JSON without any mark. */
  | { readonly kind: 'none' }

const more: JsonHead = { kind: 'more' }
const none: JsonHead = { kind: 'none' }

/**
 * Finds which mark comes first among the top-level keys of the JSON object, or of the objects in the JSON array, that
 * begins with these bytes. Looks at {@link maxHeadBytes} at most; a head of that size without a mark has none. One
 * mark decides, so that no two dialects ever claim the same bytes.
 */
export function scanJsonHead(head: Uint8Array): JsonHead {
  const scan = new HeadScan(head.length > maxHeadBytes ? head.subarray(0, maxHeadBytes) : head)
  const found = scan.run()
  return found === more && head.length >= maxHeadBytes ? none : found
}

/**
 * A detector for the dialect whose objects have this key. `batch`: whether it also comes as an array of such objects.
 * For the same head at most one of these detectors says yes, and then the others say no.
 */
export function detectJsonKey(key: MarkKey, options: { readonly batch?: boolean } = {}): Detect {
  return (head) => {
    const found = scanJsonHead(head)
    if (found.kind === 'more') return 'more'
    if (found.kind === 'none' || found.key !== key) return 'no'
    return !found.batch || options.batch === true ? 'yes' : 'no'
  }
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openList = 0x5b
const backslash = 0x5c
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

type Step = 'ok' | 'more' | 'none'

/** One pass over a head. It is lenient with values, which are passed over, and strict with what stands between keys. */
class HeadScan {
  readonly #head: Uint8Array
  #at = 0
  #batch = false
  #mark: MarkKey | undefined = undefined

  constructor(head: Uint8Array) {
    this.#head = head
  }

  run(): JsonHead {
    this.#skipSpace()
    const first = this.#head[this.#at]
    if (first === undefined) return more
    this.#batch = first === openList
    const step = this.#batch ? this.#list() : this.#object()
    if (this.#mark !== undefined) return { kind: 'marked', key: this.#mark, batch: this.#batch }
    return step === 'more' ? more : none
  }

  // The elements of the array: those that are objects are looked into, others are passed over.
  #list(): Step {
    this.#at++
    for (;;) {
      this.#skipSpace()
      const step = this.#head[this.#at] === openObject ? this.#object() : this.#value()
      if (step !== 'ok') return step
      this.#skipSpace()
      // A whole list without a mark is none of ours.
      const next = this.#expect(comma)
      if (next !== 'ok') return next
    }
  }

  // 'ok' once it is closed without a mark.
  #object(): Step {
    const opened = this.#expect(openObject)
    if (opened !== 'ok') return opened
    this.#skipSpace()
    if (this.#head[this.#at] === closeObject) {
      this.#at++
      return 'ok'
    }
    for (;;) {
      const step = this.#member()
      if (step !== 'ok') return step
      this.#skipSpace()
      const byte = this.#head[this.#at]
      if (byte === undefined) return 'more'
      this.#at++
      if (byte === closeObject) return 'ok'
      if (byte !== comma) return 'none'
    }
  }

  #member(): Step {
    this.#skipSpace()
    const start = this.#at
    const key = this.#string()
    if (key !== 'ok') return key
    this.#mark = markOf(this.#head, start, this.#at)
    if (this.#mark !== undefined) return 'none'
    this.#skipSpace()
    const between = this.#expect(colon)
    if (between !== 'ok') return between
    this.#skipSpace()
    return this.#value()
  }

  /** Passes over a value: strings and brackets count, what stands between them does not matter. */
  #value(): Step {
    const start = this.#at
    let depth = 0
    for (;;) {
      const byte = this.#head[this.#at]
      if (byte === undefined) return 'more'
      if (byte === quote) {
        const step = this.#string()
        if (step !== 'ok') return step
        continue
      }
      if (byte === closeObject || byte === closeList || byte === comma) {
        if (depth === 0) return this.#at > start ? 'ok' : 'none'
        if (byte !== comma) depth--
      } else if (byte === openObject || byte === openList) depth++
      else if (!isInValue(byte)) return 'none'
      this.#at++
    }
  }

  #string(): Step {
    const opened = this.#expect(quote)
    if (opened !== 'ok') return opened
    for (;;) {
      const byte = this.#head[this.#at++]
      if (byte === undefined) return 'more'
      if (byte === quote) return 'ok'
      if (byte === backslash) this.#at++
      else if (byte < 0x20) return 'none'
    }
  }

  #expect(wanted: number): Step {
    const byte = this.#head[this.#at]
    if (byte === undefined) return 'more'
    if (byte !== wanted) return 'none'
    this.#at++
    return 'ok'
  }

  #skipSpace(): void {
    while (isSpace(this.#head[this.#at])) this.#at++
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

// Numbers, `true`, `NaN`, and what separates them.
function isInValue(byte: number): boolean {
  return byte >= 0x20 ? byte < 0x7f : isSpace(byte)
}

function markOf(head: Uint8Array, start: number, end: number): MarkKey | undefined {
  // No mark is longer than 11 characters, each of which may be written as six (\u006d).
  if (end - start > 2 + 11 * 6) return undefined
  const text = readKey(String.fromCharCode(...head.subarray(start, end)))
  if (text === 'method' || text === 'method_name') return text
  // Go reads the keys of its structs without regard to case.
  return text?.toLowerCase() === 'magicnumber' ? 'MagicNumber' : undefined
}

// Marks are ASCII: that other characters come out wrong here does not matter.
function readKey(text: string): string | undefined {
  try {
    return String(JSON.parse(text))
  } catch {
    return undefined
  }
}
