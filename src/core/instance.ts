import type { Endpoint } from './endpoint.ts'

/** One service that an instance offers. */
export interface ServiceEntry {
  /** Empty: `methods` are there, and in no service that has a name. */
  readonly name: string
  /** Any text; clients may ask for one. */
  readonly version?: string
  /**
   * The names of its methods, for peers that name a method and no service. Left out where they are many, or not known:
   * then it may have any.
   */
  readonly methods?: readonly string[]
}

/** What a server registers. */
export interface Instance {
  /** Unique in the fleet; the same for as long as the process lives. */
  readonly id: string
  /** Grows each time that the same id registers anew: the newer one wins. */
  readonly incarnation: number
  /** Empty means "not known": such an instance is a candidate for every service under its protocols. */
  readonly services: readonly ServiceEntry[]
  readonly endpoints: readonly Endpoint[]
  /** Its share of the calls beside its peers', for balancers that go by it. Default 1. */
  readonly weight: number
  /** Where it stands: a data centre, a rack. */
  readonly zone: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly status: 'up' | 'draining'
  /** The registry has not heard from it in time, but too many went silent at once to believe it. */
  readonly suspect?: boolean
}

/** What an entry offers, for people: the name of its service, or the methods that are in none. */
export function offeredNames({
  name,
  methods = [],
}: Pick<ServiceEntry, 'name' | 'methods'>): readonly string[] {
  return name === '' ? methods : [name]
}
