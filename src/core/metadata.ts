import { RpcError } from './error.ts'
import type { Limits } from './limits.ts'

const namePattern = /^[0-9a-z_.-]+$/
// Control characters could forge log lines and, over HTTP, headers.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const valuePattern = /^[^\u0000-\u001f\u007f]*$/

/**
 * Text pairs beside a message. Names are lower-cased and hold only `0-9 a-z _ . -`; values have no control characters.
 * Kept in a Map: a name chosen by a peer never becomes a property name.
 */
export class Metadata implements Iterable<[string, string]> {
  readonly #entries = new Map<string, string>()

  constructor(entries: Readonly<Record<string, string>> | Iterable<readonly [string, string]> = {}) {
    const pairs = Symbol.iterator in entries ? entries : Object.entries(entries)
    for (const [name, value] of pairs) this.set(name, value)
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): string | undefined {
    return this.#entries.get(name.toLowerCase())
  }

  has(name: string): boolean {
    return this.#entries.has(name.toLowerCase())
  }

  /** @throws RpcError `invalid_argument` for a name or value that cannot travel. */
  set(name: string, value: string): this {
    const lower = name.toLowerCase()
    if (!namePattern.test(lower)) {
      throw new RpcError(
        'invalid_argument',
        `metadata name ${JSON.stringify(name.slice(0, 64))} may only hold 0-9 a-z _ . -`,
      )
    }
    if (typeof value !== 'string' || !valuePattern.test(value)) {
      throw new RpcError(
        'invalid_argument',
        `metadata '${lower}' must be a string without control characters`,
      )
    }
    this.#entries.set(lower, value)
    return this
  }

  delete(name: string): boolean {
    return this.#entries.delete(name.toLowerCase())
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#entries[Symbol.iterator]()
  }

  /** A plain object, for people and logs. It has no prototype, so that no name can mean more than itself. */
  toJSON(): Record<string, string> {
    return Object.assign(Object.create(null), Object.fromEntries(this.#entries))
  }
}

/** @throws RpcError `resource_exhausted` where metadata is larger than the limits allow. */
export function checkMetadata(metadata: Metadata, limits: Limits): void {
  if (metadata.size > limits.maxMetadataEntries) {
    throw new RpcError(
      'resource_exhausted',
      `${metadata.size} metadata entries, at most ${limits.maxMetadataEntries} are allowed`,
    )
  }
  let bytes = 0
  for (const [name, value] of metadata) bytes += name.length + value.length * 3
  if (bytes <= limits.maxMetadataBytes) return
  bytes = 0
  for (const [name, value] of metadata) bytes += name.length + new TextEncoder().encode(value).length
  if (bytes > limits.maxMetadataBytes) {
    throw new RpcError(
      'resource_exhausted',
      `metadata of ${bytes} bytes, at most ${limits.maxMetadataBytes} are allowed`,
    )
  }
}
