import type { MethodDescription } from '../../core/describe.ts'
import type { Handler } from '../../core/layer.ts'
import type { HttpRequest } from '../http-route.ts'
import type { NamedMethod } from './answer-call.ts'
import { curlLine, showableBody } from './curl.ts'
import { askServices } from './listing.ts'
import { HttpProblem } from './problem.ts'

// What there is and how it is called is told only to those whom the server describes itself to: a layer may refuse that.

/** For who asks for a method in another way than by POST; undefined where there is none that he may know of. */
export async function explainVerb(
  request: HttpRequest,
  handler: Handler,
  named: NamedMethod,
): Promise<HttpProblem | undefined> {
  const info = await describe(request, handler, named)
  if (info === undefined) return undefined
  const line = curlLine({ ...placeOf(request), info })
  return new HttpProblem(405, `a method is called by POST: ${line}`, { allow: 'POST, OPTIONS' })
}

/** For who posts something else than JSON to a method, whether or not there is one. */
export async function explainType(
  request: HttpRequest,
  handler: Handler,
  named: NamedMethod,
): Promise<HttpProblem> {
  const info = await describe(request, handler, named)
  const line = curlLine({ ...placeOf(request), body: showableBody(request.body), info })
  return new HttpProblem(415, `calls are JSON, and say so: ${line}`)
}

async function describe(
  request: HttpRequest,
  handler: Handler,
  { service, method }: NamedMethod,
): Promise<MethodDescription | undefined> {
  if (request.room.info(service, method) === undefined) return undefined
  const services = await askServices(request, handler)
  const found = services.find(({ name }) => name === service)
  return found?.methods.find(({ name }) => name === method)
}

function placeOf({ host, path, peer }: HttpRequest) {
  return { host, path, secure: peer.transport === 'tls' }
}
