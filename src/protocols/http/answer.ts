import type { CodecSession } from '../../core/codec.ts'
import { markNotExecuted, RpcError } from '../../core/error.ts'
import { type Handler, isPending } from '../../core/layer.ts'
import type { HttpResponse, HttpRoute } from '../http-route.ts'
import { isJson, methodOf, type NamedMethod, readCall } from './answer-call.ts'
import { BodyPump } from './body-pump.ts'
import { encodeError, errorStart } from './error-body.ts'
import type { Exchange } from './exchange.ts'
import { explainType, explainVerb } from './explain.ts'
import { listEverything } from './listing.ts'
import type { OriginPolicy } from './origin.ts'
import { HttpProblem } from './problem.ts'
import { ServedCall } from './served-call.ts'

/** What answers are made from. */
export interface AnswerRoom {
  readonly handler: Handler
  readonly codec: CodecSession
  readonly routes: readonly HttpRoute[]
  readonly policy: OriginPolicy
  /** Why no more calls are taken. */
  refusal(): RpcError | undefined
  /** The peer does not take what was written. */
  full(): boolean
  /** The answer of an exchange is written. */
  onDone(exchange: Exchange): void
  /** A call begins, and has stopped. */
  onCall(served: ServedCall): void
  onStopped(served: ServedCall): void
}

/** Answers a request, now or later; always ends in `onDone`, unless the connection is lost first. */
export function answer(exchange: Exchange, room: AnswerRoom): void {
  try {
    const refused = room.policy.refuse(exchange.head, exchange.peer)
    const response = askRoutes(exchange, room, refused)
    if (response !== undefined) return later(exchange, room, response)
    if (refused !== undefined) throw refused
    answerItself(exchange, room)
  } catch (thrown) {
    answerError(exchange, room, thrown)
  }
}

function askRoutes(exchange: Exchange, room: AnswerRoom, refused: HttpProblem | undefined) {
  // OPTIONS * is about the server.
  if (exchange.head.target === '*') return undefined
  // The target is read before anyone looks at it: what is ambiguous is for nobody.
  void exchange.target
  for (const route of room.routes) {
    if (refused !== undefined && route.open !== true) continue
    const response = route(exchange, room.handler)
    if (response !== undefined) return response
  }
  return undefined
}

function answerItself(exchange: Exchange, room: AnswerRoom): void {
  const { method, head } = exchange
  if (method === 'OPTIONS') return whole(exchange, room, preflight(exchange, room.policy))
  if (head.target === '*') throw new HttpProblem(400, "only OPTIONS has the target '*'")
  const named = methodOf(exchange.target.parts)
  if (method === 'POST' && named !== undefined) {
    if (!isJson(head.fields.get('content-type')))
      return later(exchange, room, explainType(exchange, room.handler, named).then(thrown))
    const refusal = room.refusal()
    const call = readCall(exchange, named, room.codec)
    if (refusal !== undefined) throw markNotExecuted(refusal)
    return serve(exchange, room, call)
  }
  later(exchange, room, explain(exchange, room, named))
}

async function explain(
  exchange: Exchange,
  { handler, routes }: AnswerRoom,
  named: NamedMethod | undefined,
): Promise<HttpResponse> {
  const problem = named === undefined ? undefined : await explainVerb(exchange, handler, named)
  return problem === undefined ? listEverything(exchange, handler, routes) : thrown(problem)
}

function thrown(problem: HttpProblem): never {
  throw problem
}

function serve(exchange: Exchange, room: AnswerRoom, call: ReturnType<typeof readCall>): void {
  const { writer } = exchange
  // Nobody waits for the outcome: that it has come is all there is to say.
  if (call.oneway) writer.whole({ status: 202 }, '')
  const served: ServedCall = new ServedCall({
    call,
    room: exchange.room,
    codec: room.codec,
    writer: call.oneway ? undefined : writer,
    full: room.full,
    onSettled: () => {
      if (!call.oneway) room.onDone(exchange)
    },
    onStopped: () => room.onStopped(served),
  })
  room.onCall(served)
  if (!call.oneway) {
    exchange.call = served
    exchange.wake = () => served.wake()
  }
  served.run(room.handler)
  if (call.oneway) room.onDone(exchange)
}

function later(exchange: Exchange, room: AnswerRoom, response: HttpResponse | Promise<HttpResponse>): void {
  if (!isPending(response)) return whole(exchange, room, response)
  response.then(
    (value) => {
      try {
        whole(exchange, room, value)
      } catch (thrown) {
        answerError(exchange, room, thrown)
      }
    },
    (thrown: unknown) => answerError(exchange, room, thrown),
  )
}

function whole(
  exchange: Exchange,
  room: AnswerRoom,
  { status, headers = {}, body = '' }: HttpResponse,
): void {
  const { writer } = exchange
  const start = { status, fields: Object.entries(headers) }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    writer.whole(start, body)
    return room.onDone(exchange)
  }
  writer.begin(start)
  const pump = new BodyPump(body, {
    full: room.full,
    item: (piece) => writer.piece(piece as string | Uint8Array),
    end() {
      writer.end()
      room.onDone(exchange)
    },
    // What was sent cannot be taken back; a body without its end says that it failed.
    error(thrown) {
      exchange.room.report(RpcError.from(thrown), { event: 'route', path: exchange.path })
      writer.drop()
      room.onDone(exchange)
    },
  })
  exchange.wake = () => pump.wake()
  exchange.onLost(() => void pump.stop())
  pump.start()
}

/** Answers with an error; nothing of what is none of ours leaves the process. */
function answerError(exchange: Exchange, room: AnswerRoom, thrown: unknown): void {
  const { writer } = exchange
  if (writer.state === 'ended') return
  let error = RpcError.from(thrown)
  if (!RpcError.is(thrown)) {
    exchange.room.report(error, { event: 'route', err: thrown })
    error = new RpcError('internal', 'internal error')
  }
  if (writer.state === 'none') writer.whole(errorStart(error), encodeError(room.codec, error))
  else writer.drop()
  room.onDone(exchange)
}

function preflight({ head }: Exchange, policy: OriginPolicy): HttpResponse {
  const origin = policy.crossOrigin(head)
  const allow = 'GET, HEAD, POST, OPTIONS'
  const asked = head.fields.get('access-control-request-headers') ?? ''
  if (origin === undefined || !head.fields.has('access-control-request-method')) {
    return { status: 204, headers: { allow } }
  }
  return {
    status: 204,
    headers: {
      allow,
      'access-control-allow-methods': allow,
      'access-control-allow-headers': /^[\w, -]*$/.test(asked) ? asked : '',
      'access-control-max-age': '600',
    },
  }
}
