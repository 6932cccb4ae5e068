import type { LazySchema } from './lazy-schema.ts'

/** What the sessions of one protocol have in common. */
export interface LabParts {
  readonly schema: LazySchema
  /** How long a message that could be all waits for more. */
  readonly quietMs: number
  /** The time now, as messages have it. */
  time(): string
}
