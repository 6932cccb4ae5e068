import { Call } from '../../core/call.ts'
import { runInCall } from '../../core/context.ts'
import type { Peer } from '../../core/peer.ts'
import { seededRandom } from '../../core/random.ts'
import type { LabRegistry } from '../../discovery/api/lab-registry.ts'
import type { HttpRequest, HttpResponse } from '../../protocols/http-route.ts'
import { testRoom } from '../../protocols/json-head/session-rig.suite.ts'
import { createRecordingLogger } from '../../testing/recording-logger.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { createRegistry, type RegistryOptions } from '../index.ts'
import { createAllowList } from './allow-list.node.ts'
import { createRegistryFaces } from './faces.ts'
import type { FacesOptions } from './options.ts'

/** What a test asks of a face over HTTP. */
export interface Ask {
  /** From which host; undefined: through a unix socket. */
  readonly from?: string | undefined
  readonly method?: string
  readonly fields?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: unknown
}

/** A registry with its faces, without bytes and with the time in hand. */
export function createFacesRig(options: FacesOptions = {}, store: RegistryOptions = {}) {
  const clock = createVirtualClock()
  const logger = createRecordingLogger()
  const registry = createRegistry({ clock, random: seededRandom(1), logger }, store)
  const room = { store: registry.store, clock, logger, createAllowList, wallClock: () => 1_000 + clock.now() }
  const faces = createRegistryFaces(room, options)

  /** Undefined where no face has the path. */
  function ask(target: string, given: Ask = {}): HttpResponse | undefined {
    const { method = 'GET', fields = {}, body } = given
    const [path = '', query] = target.split('?')
    const bytes =
      body instanceof Uint8Array
        ? body
        : new TextEncoder().encode(
            body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
          )
    const request: HttpRequest = {
      method,
      path,
      query: new URLSearchParams(query),
      headers: new Map(Object.entries(fields)),
      body: bytes,
      peer: peerAt('from' in given ? given.from : '10.0.0.9'),
      host: 'registry:9999',
      room: testRoom(clock),
      signal: new AbortController().signal,
    }
    for (const route of faces.routes) {
      const response = route(request, () => undefined)
      if (response !== undefined) return response as HttpResponse
    }
    return undefined
  }

  /** Asks the JSON face; gives status and body. */
  async function json(target: string, given: Ask = {}): Promise<{ status: number; value: any }> {
    const method = given.body === undefined ? 'GET' : 'POST'
    const response = ask(target, { method, ...given })
    if (response === undefined) throw new Error(`no face answers ${target}`)
    return { status: response.status, value: JSON.parse(await textOf(response)) }
  }

  /** What a Python client finds, as `host:port`. */
  async function found(proto = 'json'): Promise<string[]> {
    const { value } = await json(`/myRegistry/findAllInstances?proto=${proto}`)
    return value.map(({ host, port }: { host: string; port: number }) => `${host}:${port}`)
  }

  function post(address: string, given: Ask & { field?: string; path?: string } = {}): HttpResponse {
    const { field = 'x-geerpc-server', path = '/_geerpc_/registry', ...rest } = given
    return ask(path, { method: 'POST', fields: { [field]: address }, ...rest }) as HttpResponse
  }

  /** What a Go client finds. */
  function servers(given: Ask & { field?: string; path?: string } = {}): string[] {
    const { field = 'x-geerpc-servers', path = '/_geerpc_/registry', ...rest } = given
    const list = (ask(path, rest) as HttpResponse).headers?.[field]
    if (list === undefined) throw new Error(`${field} is missing`)
    return list === '' ? [] : list.split(',')
  }

  /** Calls the service of the protobuf face as the protocol does. */
  function lab<Method extends keyof LabRegistry>(method: Method, request: unknown, from: string | undefined) {
    const fn = faces.services[0]?.methods.get(method)?.fn
    if (fn === undefined) throw new Error('there is no protobuf face')
    const peer = peerAt(from)
    const call = new Call({
      clock,
      service: '',
      method,
      args: { list: [request] },
      deadline: Number.POSITIVE_INFINITY,
      peer,
    })
    return runInCall(call, () => fn(request)) as Awaited<ReturnType<LabRegistry[Method]>>
  }

  const { store: held } = registry
  return { clock, registry, store: held, faces, lines: logger.lines, ask, json, found, post, servers, lab }
}

export type FacesRig = ReturnType<typeof createFacesRig>

export function peerAt(host: string | undefined): Peer {
  if (host === undefined) return { transport: 'unix', address: '/run/registry.sock' }
  return { transport: 'tcp', address: host.includes(':') ? `[${host}]:52000` : `${host}:52000` }
}

/** The body of an answer. */
export async function textOf({ body = '' }: HttpResponse): Promise<string> {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return new TextDecoder().decode(body)
  let text = ''
  for await (const piece of body) text += typeof piece === 'string' ? piece : new TextDecoder().decode(piece)
  return text
}
