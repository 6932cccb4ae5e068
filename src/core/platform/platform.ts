import type { Context } from './seam.ts'

// What every JavaScript runtime has. Node's own, faster ways are in platform.node.ts; the package's `imports` map
// chooses, so nothing here is known to the rest.

export type { Context } from './seam.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Writes a string as UTF-8 at a position; there must be room. Returns the number of bytes. */
export function writeUtf8(bytes: Uint8Array, text: string, at: number): number {
  return encoder.encodeInto(text, bytes.subarray(at)).written
}

/** Reads UTF-8 between two positions. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end))
}

/** New bytes whose contents are not defined. */
export function allocate(size: number): Uint8Array {
  return new Uint8Array(size)
}

/** Runs a function once the current turn, with all its promise reactions, is over. */
export function defer(fn: () => void): void {
  setTimeout(fn, 0)
}

/** Starts a timer; `background` ones do not keep the process alive. Returns what stops it. */
export function startTimer(ms: number, fn: () => void, _background: boolean): () => void {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}

/**
 * A value that follows the flow of calls. Without help from the runtime it is known only until the first await; that
 * is all that a browser, which serves no calls, needs.
 */
export function createContext<T>(): Context<T> {
  let current: T | undefined
  return {
    get: () => current,
    run(value, fn) {
      const before = current
      current = value
      try {
        return fn()
      } finally {
        current = before
      }
    },
  }
}
