import type { RegistryStore } from '../store.ts'
import type { Gate } from './gate.ts'
import type { ServiceNames } from './service-names.ts'

/** What the faces of a registry share. */
export interface FaceRoom {
  readonly store: RegistryStore
  readonly gate: Gate
  /** The incarnation of the next instance that registers anew. */
  readonly nextIncarnation: () => number
  /** What is offered at a place, where the registration does not say it. */
  readonly serviceNames: ServiceNames
}
