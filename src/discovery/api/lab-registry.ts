// The registry of the protobuf lab, as calls: what its `register`, `discover` and `heartbeat` are called on our side. A
// server of `lab-protobuf` makes such calls of what older peers ask; a client of it sends such calls to an older registry.

/** The service that a registry for these peers offers. */
export const labRegistryService = 'farcall.registry.lab'

/** Where a server listens; all that these peers know of it. */
export interface LabServer {
  readonly host: string
  readonly port: number
}

/** One service of one server. */
export interface LabRegistration extends LabServer {
  readonly service: string
}

/**
 * The methods of the service. What fails is told to the peer by its message. All of them may be repeated: a caller marks
 * its calls as idempotent.
 */
export interface LabRegistry {
  /** Registers a service of a server; again is success. */
  register(registration: LabRegistration): void | PromiseLike<void>
  /**
   * Where a service is. Nobody is an empty list; peers of the protocol get it as a failure with a reason, and our client
   * gives `not_found` where a registry answers with one.
   */
  discover(query: { readonly service: string }): readonly LabServer[] | PromiseLike<readonly LabServer[]>
  /** Says that a server lives. False asks it to register again: it came too late, or is not known. */
  heartbeat(server: LabServer): boolean | PromiseLike<boolean>
}
