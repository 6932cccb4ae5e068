import { currentCall } from '../../core/context.ts'
import { type Endpoint, formatEndpoint, formatHostPort } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance, ServiceEntry } from '../../core/instance.ts'
import { method } from '../../core/method.ts'
import { isInternalName } from '../../core/names.ts'
import { internalService, type Service } from '../../core/service.ts'
import { readField, readText } from '../../discovery/api/guards.ts'
import { type LabRegistry, labRegistryService } from '../../discovery/api/lab-registry.ts'
import { maxMethods, maxNameLength, maxServices } from '../../discovery/api/limits.ts'
import { splitName } from '../../protocols/json-head/serve-call.ts'
import { FaceLeases } from './face-leases.ts'
import type { FaceRoom } from './face-room.ts'
import { findOffers, overTcp } from './offered.ts'
import { readPlace } from './place.ts'

const protocol = 'lab-protobuf'

/**
 * The registry of the Python system with protobuf, as a service: the protocol `lab-protobuf` makes calls of it out of what
 * its peers ask. A server registers each of its methods alone, and all of them live by its heartbeats.
 */
export function labProtobufFace(room: FaceRoom, { leaseMs }: { readonly leaseMs: number }): Service {
  const { store, gate, nextIncarnation } = room
  const leases = new FaceLeases({ store, face: 'protobuf', leaseMs, nextIncarnation })
  const methods = registryMethods({
    register(request) {
      gate.admit(currentCall()?.peer, () => {
        const name = readName(request)
        const endpoint = readServer(request)
        const key = formatEndpoint(endpoint)
        const known = leases.get(key)?.services ?? []
        leases.keep(key, { endpoints: [endpoint], services: withName(known, name) })
      })
    },
    discover(request) {
      const name = readName(request)
      const offers = findOffers(store, overTcp(protocol), (instance) => hasName(instance, name))
      return [...new Map(offers.map(({ way }) => [formatHostPort(way.host, way.port), way])).values()]
    },
    heartbeat: (request) =>
      gate.admit(currentCall()?.peer, () => leases.renew(formatEndpoint(readServer(request)))),
  })
  return internalService(labRegistryService, methods)
}

function registryMethods({ register, discover, heartbeat }: LabRegistry) {
  const options = (doc: string) => ({ idempotent: true, params: ['request'], doc }) as const
  return {
    register: method(options('Registers a method of a server.'), register),
    discover: method(options('Where a method, or a service, is.'), discover),
    heartbeat: method(options('Whether a server is still registered, which keeps it so.'), heartbeat),
  }
}

function readName(request: unknown): string {
  return readText(readField(request, 'service', 'request'), 'service', maxNameLength)
}

function readServer(request: unknown): Endpoint {
  // Protobuf leaves out what is empty.
  const host = readField(request, 'host', 'request') ?? ''
  const place = readPlace({ host, port: readField(request, 'port', 'request') }, currentCall()?.peer)
  return { protocol, address: { transport: 'tcp', ...place } }
}

/** The same with one name more: `add`, a method of no service, or `Calculator.add`. */
function withName(known: readonly ServiceEntry[], full: string): readonly ServiceEntry[] {
  const { service, method: added } = splitName(full)
  const own = known.filter(({ name }) => name === service)
  if (own.some(({ methods = [] }) => methods.includes(added))) return known
  if (known.reduce((sum, { methods = [] }) => sum + methods.length, 0) >= maxServices) {
    throw new RpcError('resource_exhausted', `a server may register ${maxServices} names here, and no more`)
  }
  // An entry names no more than so many; a further one of the same name goes on.
  const open = own.find(({ methods = [] }) => methods.length < maxMethods)
  const entry = { name: service, methods: [...(open?.methods ?? []), added] }
  return open === undefined ? [...known, entry] : known.map((one) => (one === open ? entry : one))
}

/** Whether an instance may have what a peer asks for: a method, a service, or a method of a service. */
function hasName({ services }: Instance, full: string): boolean {
  if (services.length === 0) return true
  const { service, method: asked } = splitName(full)
  return services.some(({ name, methods }) => {
    if (isInternalName(name)) return false
    const isMeant = service === '' || name === service
    return name === full || (isMeant && (methods === undefined || methods.includes(asked)))
  })
}
