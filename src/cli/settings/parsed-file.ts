import type { Value } from './read.ts'

/** What a file says: settings by key (`serve.zone`). */
export interface ParsedFile {
  readonly values: ReadonlyMap<string, Value>
  /** By the name of an environment: what it sets otherwise. */
  readonly environments: ReadonlyMap<string, ReadonlyMap<string, Value>>
  /** What was passed over in it. */
  readonly notes: readonly string[]
}
