import { describe, type MethodDescription } from '../../core/describe.ts'
import { formatEndpoint } from '../../core/endpoint.ts'
import { isInternalName } from '../../core/names.ts'
import type { RegistryStatus } from '../announcer.ts'
import type { ConnectionStats } from '../connections.ts'
import type { Facts } from '../options.ts'
import type { MethodStats } from '../stats.ts'
import type { Around, ProcessView, ServerView, ShownTypes } from './server-view.ts'

/** A method as the debug page shows it: what it is, and what became of its calls. */
export interface MethodReport extends MethodDescription {
  /** Where they were declared, as for peers in Go. */
  readonly types: ShownTypes | undefined
  readonly stats: Omit<MethodStats, 'service' | 'method'> | undefined
}

/** A server as the debug page shows it, and as `?format=json` gives it. */
export interface DebugReport {
  readonly id: string
  readonly state: string
  /** Milliseconds since 1970, so that two reports tell rates. */
  readonly at: number
  readonly targets: readonly string[]
  readonly endpoints: readonly string[]
  /** What it weighs in registries. */
  readonly weight: number
  readonly inFlight: number
  readonly uncooperative: number
  readonly connections: ConnectionStats
  readonly sessions: Readonly<Record<string, number>>
  /** Calls that were made by each protocol. */
  readonly callsBy: Readonly<Record<string, number>>
  readonly registries: readonly RegistryStatus[]
  /** What the program says of itself. */
  readonly facts: Facts
  readonly services: readonly {
    readonly name: string
    readonly version?: string
    readonly internal: boolean
    readonly methods: readonly MethodReport[]
  }[]
  /** Calls of what is not there; undefined where there were none. */
  readonly unknown: Omit<MethodStats, 'service' | 'method'> | undefined
  readonly process: ProcessView | undefined
}

/** All that the debug page shows, as plain data. */
export function readReport(server: ServerView, { running, facts, at, typesOf }: Around): DebugReport {
  const { methods, ...stats } = server.stats()
  const counted = new Map(
    methods.map(({ service, method, ...rest }) => [JSON.stringify([service, method]), rest]),
  )
  const statsOf = (service: string, method: string) => counted.get(JSON.stringify([service, method]))
  return {
    id: server.id,
    state: server.state,
    at,
    targets: server.targets,
    endpoints: server.endpoints.map(formatEndpoint),
    weight: server.weight,
    ...stats,
    facts,
    services: server.services().map((service) => {
      const { methods: described, ...rest } = describe(service)
      return {
        ...rest,
        internal: isInternalName(service.name),
        methods: described.map((method) => {
          const info = service.methods.get(method.name)?.info
          const types = info === undefined ? undefined : typesOf(info)
          return { ...method, types, stats: statsOf(service.name, method.name) }
        }),
      }
    }),
    unknown: statsOf('?', '?'),
    process: running,
  }
}
