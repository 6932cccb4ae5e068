// What a registry takes in, at most. Far above what a fleet needs, far below what could hurt the registry.

/** Instances under one lease: all servers of one process. */
export const maxInstancesPerLease = 256
/** Services that one instance offers. */
export const maxServices = 1_000
/** Ways to reach one instance. */
export const maxEndpoints = 16
/** All metadata of one instance, names and values, in bytes. */
export const maxMetadataBytes = 4_096
/** The characters of an id, a service's name, a version, a zone. */
export const maxNameLength = 128
/** The characters of an endpoint. */
export const maxEndpointLength = 512
/** Leases that one request renews. */
export const maxLeasesPerRenewal = 10_000

/** How long a lease lasts without a renewal: 15 s if nothing is said. */
export const defaultTtlMs = 15_000
/** Below 3 s a pause of the garbage collector or of a virtual machine would look like a death. */
export const minTtlMs = 3_000
/** Above an hour a lease says nothing. */
export const maxTtlMs = 3_600_000
