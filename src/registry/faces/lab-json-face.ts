import { type Endpoint, formatHostPort } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { writeParameters } from '../../discovery/api/lab-parameters.ts'
import { protocolOf } from '../../discovery/api/lab-protocol.ts'
import { matches } from '../../discovery/resolver.ts'
import type { HttpRequest, HttpResponse, HttpRoute } from '../../protocols/http-route.ts'
import type { FaceRoom } from './face-room.ts'
import { answerInstance, type LabInstance, readLabInstance, writeRest } from './lab-instance.ts'
import { findOffers, overTcp } from './offered.ts'
import { ProcessLeases } from './process-leases.ts'
import { statusOfRefusal } from './refusal.ts'
import { RevisionCache } from './revision-cache.ts'

// A list goes out in pieces of about so many instances, so that a long one is never in memory as a whole.
const instancesPerPiece = 500
// By `parameters.zone=north` a client may narrow what it is told.
const filterPrefix = 'parameters.'

/**
 * The registry of the Python systems with JSON, below one path: POST `/register` and `/unregister` with an instance, which
 * comes back whole with its status; GET `/findAllInstances?proto=json` lists instances. Registering again is the heartbeat.
 */
export function labJsonFace(
  room: FaceRoom,
  { leaseMs, path }: { readonly leaseMs: number; readonly path: string },
): HttpRoute {
  const { store, gate, nextIncarnation } = room
  const leases = new ProcessLeases({ store, face: 'json', leaseMs, nextIncarnation })
  const lists = new RevisionCache<readonly string[]>(store)
  // What was sent, for as long as an instance has this metadata.
  const rests = new WeakMap<Instance['metadata'], string>()
  // What is said of instances that came in other ways.
  const written = new WeakMap<Instance, string>()

  function register(request: HttpRequest): HttpResponse {
    return write(request, true, (instance) => {
      const { sent, place, said, owner } = instance
      const services = said.services.length > 0 ? said.services : room.serviceNames(place)
      const kept = leases.keep(endpointOf(instance), { ...said, services }, owner)
      const rest = writeRest(sent)
      if (rests.get(kept.metadata) === rest) return
      rests.set(kept.metadata, rest)
      lists.clear()
    })
  }

  function unregister(request: HttpRequest): HttpResponse {
    return write(request, false, (instance) => leases.drop(endpointOf(instance)))
  }

  function write(
    { body, peer }: HttpRequest,
    status: boolean,
    change: (instance: LabInstance) => void,
  ): HttpResponse {
    try {
      const sent = gate.admit(peer, () => {
        const instance = readLabInstance(body, peer)
        change(instance)
        return instance.sent
      })
      return json(200, answerInstance(sent, status))
    } catch (thrown) {
      return json(statusOfRefusal(thrown), JSON.stringify({ error: RpcError.from(thrown).message }))
    }
  }

  function findAll({ query }: HttpRequest): HttpResponse {
    const proto = query.get('proto') ?? ''
    const metadata = readFilter(query)
    const list = () => listAll(proto, metadata)
    // Only what all ask for is worth keeping.
    const all = Object.keys(metadata).length === 0 ? lists.get(proto, list) : list()
    return json(200, all.length <= instancesPerPiece ? `[${all.join(', ')}]` : inPieces(all))
  }

  // One for each place, of several the one that was sent here.
  function listAll(proto: string, metadata: Readonly<Record<string, string>>): readonly string[] {
    const found = new Map<string, string>()
    const offers = findOffers(store, overTcp(protocolOf(proto)), (one) => matches(one, { metadata }))
    for (const { instance, way } of offers) {
      const place = formatHostPort(way.host, way.port)
      const rest = rests.get(instance.metadata)
      if (found.has(place) && rest === undefined) continue
      const parameters = rest ?? writeOnce(instance)
      const [protocol, host] = [JSON.stringify(proto), JSON.stringify(way.host)]
      const head = `"protocol": ${protocol}, "host": ${host}, "port": ${way.port}, "status": true`
      found.set(place, `{${head}, ${parameters}}`)
    }
    return [...found.values()]
  }

  // As a process of ours would say it here, so that those who are told of it twice, for two protocols, see that it is one.
  function writeOnce(instance: Instance): string {
    const text = written.get(instance) ?? writeRest({ parameters: writeParameters(instance) })
    written.set(instance, text)
    return text
  }

  const actions: Readonly<Record<string, (request: HttpRequest) => HttpResponse>> = {
    [`POST ${path}/register`]: register,
    [`POST ${path}/unregister`]: unregister,
    [`GET ${path}/findAllInstances`]: findAll,
    [`HEAD ${path}/findAllInstances`]: findAll,
  }
  const route: HttpRoute = (request) => {
    if (request.path !== path && !request.path.startsWith(`${path}/`)) return undefined
    const name = `${request.method} ${request.path}`
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    return action === undefined ? json(404, '{"error": "Not Found"}') : action(request)
  }
  return Object.assign(route, { paths: [`${path}/findAllInstances?proto=json`] })
}

function endpointOf({ protocol, place }: Pick<LabInstance, 'protocol' | 'place'>): Endpoint {
  return { protocol, address: { transport: 'tcp', ...place } }
}

function readFilter(query: URLSearchParams): Record<string, string> {
  const asked = [...query].filter(([name]) => name.startsWith(filterPrefix))
  return Object.fromEntries(asked.map(([name, value]) => [name.slice(filterPrefix.length), value]))
}

async function* inPieces(all: readonly string[]): AsyncIterable<string> {
  yield '['
  for (let at = 0; at < all.length; at += instancesPerPiece) {
    const piece = all.slice(at, at + instancesPerPiece).join(', ')
    yield at === 0 ? piece : `, ${piece}`
  }
  yield ']'
}

function json(status: number, body: string | AsyncIterable<string>): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body }
}
