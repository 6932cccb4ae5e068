import type { Instance } from '../core/instance.ts'
import {
  invalid,
  readField,
  readList,
  readNumber,
  readOptionalText,
  readText,
} from '../discovery/api/guards.ts'
import { decodeInstance, readIncarnation } from '../discovery/api/instance-data.ts'
import {
  maxInstancesPerLease,
  maxLeasesPerRenewal,
  maxNameLength,
  maxTtlMs,
  minTtlMs,
} from '../discovery/api/limits.ts'
import type { LeaseRef } from '../discovery/api/messages.ts'
import { readQuery } from '../discovery/api/read-query.ts'
import type { Query } from '../discovery/resolver.ts'

// What peers ask, checked: each throws `invalid_argument` that names the field.

export interface Registering {
  readonly lease: LeaseRef & { readonly ttlMs: number }
  readonly instances: readonly Instance[]
}

export function readRegistering(request: unknown, defaultTtlMs: number): Registering {
  const lease = readField(request, 'lease', 'request')
  const ttlMs = readNumber(readField(lease, 'ttlMs', 'lease') ?? defaultTtlMs, 'lease.ttlMs', {
    min: minTtlMs,
    max: maxTtlMs,
    whole: false,
  })
  const list = readList(readField(request, 'instances', 'request'), 'instances', maxInstancesPerLease)
  const instances = list.map((value, i) => decodeInstance(value, `instances[${i}]`))
  const ids = new Set<string>()
  for (const { id } of instances) {
    if (ids.has(id)) throw invalid('instances', `has the id '${id}' twice`)
    ids.add(id)
  }
  return { lease: { ...readLease(lease, 'lease'), ttlMs }, instances }
}

export function readRenewing(request: unknown): LeaseRef[] {
  const leases = readList(readField(request, 'leases', 'request'), 'leases', maxLeasesPerRenewal)
  return leases.map((value, i) => readLease(value, `leases[${i}]`))
}

export function readLeaseRequest(request: unknown): { lease: LeaseRef; ids: readonly string[] | undefined } {
  const lease = readLease(readField(request, 'lease', 'request'), 'lease')
  const given = readField(request, 'instances', 'request')
  if (given === undefined || given === null) return { lease, ids: undefined }
  const list = readList(given, 'instances', maxInstancesPerLease)
  return { lease, ids: list.map((id, i) => readText(id, `instances[${i}]`, maxNameLength)) }
}

export function readListing(request: unknown): { query: Query; after: number } {
  if (request === undefined || request === null) return { query: {}, after: 0 }
  const after = readField(request, 'after', 'request') ?? 0
  return {
    query: readQuery(readField(request, 'query', 'request')),
    after: readNumber(after, 'after', { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true }),
  }
}

export function readWatching(request: unknown): { query: Query; from: string | undefined } {
  if (request === undefined || request === null) return { query: {}, from: undefined }
  return {
    query: readQuery(readField(request, 'query', 'request')),
    from: readOptionalText(readField(request, 'from', 'request'), 'from', maxNameLength),
  }
}

function readLease(value: unknown, path: string): LeaseRef {
  return {
    id: readText(readField(value, 'id', path), `${path}.id`, maxNameLength),
    incarnation: readIncarnation(readField(value, 'incarnation', path), `${path}.incarnation`),
  }
}
