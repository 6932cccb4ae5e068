import type { Instance } from '../core/instance.ts'
import type { FeedChange } from './api/read-reply.ts'
import { parseRevision } from './api/revision.ts'

/** From so many instances on, losing more than half at once is doubted. */
const doubtFrom = 4

/** Why instances are kept that the registry did not name. */
export interface Doubt {
  readonly reason: string
}

/**
 * What is known for one query. Changes that a registry tells one by one are obeyed at once. A list that replaces what
 * was known is not, where it looks like the registry's own trouble: a registry that was restarted knows only who has
 * come back yet, and a broken one may know nobody. What such a list leaves out is kept beside what it names, until
 * {@link settle}.
 */
export class KnownInstances {
  #instances: ReadonlyMap<string, Instance> = new Map()
  #doubted: ReadonlySet<string> = new Set()
  #revision: string | undefined

  /** All, the doubted ones among them. */
  get instances(): ReadonlyMap<string, Instance> {
    return this.#instances
  }

  /** Up to where the registry has told everything; undefined before it told anything. */
  get revision(): string | undefined {
    return this.#revision
  }

  /** How many are kept although the registry did not name them. */
  get doubted(): number {
    return this.#doubted.size
  }

  /** A complete list. Tells why it is not believed in full, where there is more cause for doubt than before. */
  replace(list: readonly Instance[], revision: string): Doubt | undefined {
    const named = new Map(list.map((instance) => [instance.id, instance]))
    const kept = [...this.#instances].filter(([id]) => !named.has(id) && this.#doubted.has(id))
    const missing = [...this.#instances].filter(([id]) => !named.has(id) && !this.#doubted.has(id))
    const doubt = this.#doubt({ named: named.size, missing: missing.length, kept: kept.length }, revision)
    if (doubt !== undefined) kept.push(...missing)
    this.#revision = revision
    this.#doubted = new Set(kept.map(([id]) => id))
    this.#instances = new Map([...kept, ...named])
    return doubt
  }

  /** What changed since the revision that was known. */
  apply(changes: readonly FeedChange[], revision: string): void {
    const instances = new Map(this.#instances)
    // Mostly nobody is: then the empty set serves again.
    const doubted = this.#doubted.size === 0 ? undefined : new Set(this.#doubted)
    for (const change of changes) {
      const id = change.type === 'up' ? change.instance.id : change.id
      if (change.type === 'up') instances.set(id, change.instance)
      else instances.delete(id)
      doubted?.delete(id)
    }
    this.#instances = instances
    if (doubted !== undefined) this.#doubted = doubted
    this.#revision = revision
  }

  /** Nothing changed up to this revision. */
  mark(revision: string): void {
    this.#revision = revision
  }

  /** The time for doubt is over: what nobody has named since is gone. */
  settle(): void {
    this.#instances = new Map([...this.#instances].filter(([id]) => !this.#doubted.has(id)))
    this.#doubted = new Set()
  }

  #doubt(count: { named: number; missing: number; kept: number }, revision: string): Doubt | undefined {
    const { named, missing, kept } = count
    if (this.#revision === undefined) return undefined
    const known = this.#instances.size
    // A registry that began anew has heard of nobody but those who came back since.
    if (missing + kept > 0 && parseRevision(this.#revision)?.epoch !== parseRevision(revision)?.epoch) {
      return {
        reason: `the registry was restarted and does not know ${missing + kept} of ${known} instances (yet)`,
      }
    }
    if (missing === 0) return undefined
    const believed = known - this.#doubted.size
    if (named === 0) return { reason: `the registry suddenly names none of ${believed} instances` }
    if (believed >= doubtFrom && named < believed / 2) {
      return { reason: `the registry suddenly names only ${named} instances, where there were ${believed}` }
    }
    return undefined
  }
}
