// What is nearly always one thing or none, and seldom several: no array is made for one.

/** Adds one to those that are held. */
export function append<T>(held: T | T[] | undefined, added: T): T | T[] {
  if (held === undefined) return added
  if (Array.isArray(held)) {
    held.push(added)
    return held
  }
  return [held, added]
}

/** Visits all that are held. */
export function each<T>(held: T | T[] | undefined, visit: (one: T) => void): void {
  if (held === undefined) return
  if (Array.isArray(held)) for (const one of held) visit(one)
  else visit(held)
}
