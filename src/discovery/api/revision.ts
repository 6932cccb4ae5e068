/** A state of a registry: which life of it (`epoch`), and how many changes it had made (`counter`). */
export interface Revision {
  readonly epoch: string
  readonly counter: number
}

export function formatRevision(revision: Revision): string {
  return `${revision.epoch}:${revision.counter}`
}

/** Undefined for anything that is no revision. */
export function parseRevision(text: string): Revision | undefined {
  const at = text.lastIndexOf(':')
  const digits = text.slice(at + 1)
  if (at < 1 || !/^\d{1,15}$/.test(digits)) return undefined
  return { epoch: text.slice(0, at), counter: Number(digits) }
}
