/**
 * Tells from the first bytes of a connection whether they are a certain protocol: `more` where it takes more bytes to
 * know. Pure, and it looks at {@link maxHeadBytes} at most. For any bytes at most one detector says yes, and then no
 * other says more: what a connection speaks does not depend on the order in which detectors are asked.
 */
export type Detect = (head: Uint8Array) => 'yes' | 'no' | 'more'

/** A head that is undecided at this length is refused. */
export const maxHeadBytes = 4096

/** What a detector found, of all that were asked. */
export type Detected<T> =
  | { readonly kind: 'found'; readonly found: T }
  | { readonly kind: 'more' }
  | { readonly kind: 'none' }

/** Asks every candidate that can detect. */
export function detectAmong<T extends { readonly detect?: Detect }>(
  candidates: readonly T[],
  head: Uint8Array,
): Detected<T> {
  let undecided = false
  for (const candidate of candidates) {
    const answer = candidate.detect?.(head) ?? 'no'
    if (answer === 'yes') return { kind: 'found', found: candidate }
    if (answer === 'more') undecided = true
  }
  return undecided && head.length < maxHeadBytes ? { kind: 'more' } : { kind: 'none' }
}

/** A detector for a fixed beginning. */
export function detectPrefix(prefix: Uint8Array): Detect {
  return (head) => {
    const known = Math.min(head.length, prefix.length)
    for (let i = 0; i < known; i++) if (head[i] !== prefix[i]) return 'no'
    return head.length >= prefix.length ? 'yes' : 'more'
  }
}
