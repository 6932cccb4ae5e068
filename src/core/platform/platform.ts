// What every JavaScript runtime has. Node's own, faster ways are in platform.node.ts; the package's `imports` map
// chooses, so nothing here is known to the rest.

import type { Context, Snapshot } from './seam.ts'

export type { Context, Place, Snapshot } from './seam.ts'

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

/** Runs a function in a later turn, after the input and output that is waiting. */
export function nextTurn(fn: () => void): void {
  setTimeout(fn, 0)
}

/** Starts a timer; `background` ones do not keep the process alive. Returns what stops it. */
export function startTimer(ms: number, fn: () => void, _background: boolean): () => void {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}

// What every context holds, at the moment.
let frame: ReadonlyMap<object, unknown> = new Map()

function within<R>(other: typeof frame, fn: () => R): R {
  const before = frame
  frame = other
  try {
    return fn()
  } finally {
    frame = before
  }
}

/**
 * A value that follows the flow of calls. Without help from the runtime it is known only until the first await; that
 * is all that a browser, which serves no calls, needs.
 */
export function createContext<T>(): Context<T> {
  const key = {}
  return {
    get: () => frame.get(key) as T | undefined,
    run: (value, fn) => within(new Map(frame).set(key, value), fn),
    place: () => ({
      run: (value, fn, args) => within(new Map(frame).set(key, value), () => fn(...args)),
    }),
  }
}

/** Captures all contexts as they are here; what it gives runs a function in them. */
export function snapshot(): Snapshot {
  const captured = frame
  return (fn) => within(captured, fn)
}
