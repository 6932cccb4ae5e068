import { Call } from '../../core/call.ts'
import type { ServiceDescription } from '../../core/describe.ts'
import { isNotExecuted, RpcError } from '../../core/error.ts'
import { type Handler, isPending } from '../../core/layer.ts'
import { isInternalName } from '../../core/names.ts'
import type { HttpRequest, HttpResponse, HttpRoute } from '../http-route.ts'
import { curlLine } from './curl.ts'

// Who asks for a list can wait that long for it.
const timeoutMs = 5_000

/**
 * What is there, as the answer to a request for nothing in particular (`/`), or for what is not there. The services are
 * those that the server tells this caller: where a layer refuses to, there are none.
 */
export async function listEverything(
  request: HttpRequest,
  handler: Handler,
  routes: readonly HttpRoute[],
): Promise<HttpResponse> {
  const services = await askServices(request, handler)
  const pages = routes.flatMap(({ paths = [] }) => paths)
  const unknown = request.path !== '/'
  const content = {
    ...(unknown && { code: 'not_found', message: `nothing is at ${request.path.slice(0, 200)}` }),
    services: Object.fromEntries(
      services.map(({ name, methods }) => [name, methods.map(({ signature }) => signature)]),
    ),
    call: exampleOf(request, services),
    pages,
  }
  return {
    status: unknown ? 404 : 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify(content, undefined, 2)}\n`,
  }
}

function exampleOf({ host, peer }: HttpRequest, services: readonly ServiceDescription[]): string {
  const [service] = services
  const [method] = service?.methods ?? []
  const path =
    service === undefined || method === undefined ? '/service/method' : `/${service.name}/${method.name}`
  return curlLine({ host, secure: peer.transport === 'tls', path, info: method })
}

/** The services that the server tells this caller of; none where a layer refuses to, and none of Farcall's own. */
export async function askServices(request: HttpRequest, handler: Handler): Promise<ServiceDescription[]> {
  try {
    const all = await ask(request, handler)
    return (all as readonly ServiceDescription[]).filter(({ name }) => !isInternalName(name))
  } catch {
    return []
  }
}

async function ask(request: HttpRequest, handler: Handler): Promise<unknown> {
  const { room, peer } = request
  const { clock } = room
  const deadline = clock.now() + timeoutMs
  const args = { list: [] }
  const call = new Call({
    clock,
    service: 'farcall.meta',
    method: 'methods',
    args,
    deadline,
    peer,
    metadata: request.metadata,
    phase: 'read',
  })
  call.watchDeadline()
  const cancelled = new Promise<never>((_resolve, reject) => call.onCancel(reject))
  // Raced below; where the answer comes first, nobody waits for it.
  cancelled.catch(() => {})
  try {
    const reply = handler(call)
    const value = isPending(reply) ? await Promise.race([reply, cancelled]) : reply
    call.end()
    return value
  } catch (thrown) {
    const error = RpcError.from(thrown)
    call.end(error, isNotExecuted(error))
    throw error
  }
}
