import type { HttpFields } from '../http-route.ts'
import { HttpProblem } from './problem.ts'

// Several of these would mean two things, and two programs on the way of a request could each go by another.
const single: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'origin',
  'expect',
  'traceparent',
])

/** The fields of a head as they are read. */
export class Fields implements HttpFields {
  readonly #fields = new Map<string, string>()

  /** @throws HttpProblem 400 for a second one of a field that must be alone. */
  add(name: string, value: string): void {
    const before = this.#fields.get(name)
    if (before === undefined) this.#fields.set(name, value)
    else if (single.has(name) || name.startsWith('farcall-')) {
      throw new HttpProblem(400, `the field '${name}' came twice`)
    } else this.#fields.set(name, `${before}, ${value}`)
  }

  get(name: string): string | undefined {
    return this.#fields.get(name)
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  /** Whether a list such as `Connection` has an element, in any case. */
  lists(name: string, element: string): boolean {
    const value = this.#fields.get(name)
    return value?.split(',').some((part) => part.trim().toLowerCase() === element) === true
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#fields[Symbol.iterator]()
  }
}
