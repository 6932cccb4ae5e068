import { Call, type CallInit } from '../core/call.ts'
import type { Codec } from '../core/codec.ts'
import type { RpcError } from '../core/error.ts'
import type { Handler, Reply } from '../core/layer.ts'
import { type Limits, resolveLimits } from '../core/limits.ts'
import type { MethodInfo } from '../core/method-info.ts'
import { seededRandom } from '../core/random.ts'
import type { ClientSession, Protocol, Room, Session } from '../protocols/protocol.ts'
import { createMemoryTransport } from '../transports/memory.ts'
import type { Transport, Wire } from '../transports/transport.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

export interface SessionPairOptions {
  readonly protocol: Protocol
  readonly codecs: readonly Codec[]
  readonly handler: Handler
  readonly clientCodecs?: readonly Codec[]
  readonly clientLimits?: Partial<Limits>
  readonly serverLimits?: Partial<Limits>
  readonly info?: (service: string, method: string) => MethodInfo | undefined
  readonly clock?: VirtualClock
  readonly transport?: Transport
}

/** A client's and a server's session of one protocol, on two ends of one connection in this process. */
export interface SessionPair extends AsyncDisposable {
  readonly clock: VirtualClock
  readonly client: ClientSession
  readonly server: Session
  readonly clientWire: Wire
  readonly serverWire: Wire
  /** What the client was told of methods, by full name. */
  readonly learned: Map<string, MethodInfo>
  /** What either side reported. */
  readonly reports: RpcError[]
  /** The calls that the handler got. */
  readonly served: Call[]
  /** Makes a call, as a client does: with a deadline that is watched. */
  start(
    method: string,
    args?: readonly unknown[],
    patch?: Partial<CallInit>,
  ): { call: Call; reply: Promise<Reply> }
  call(method: string, args?: readonly unknown[], patch?: Partial<CallInit>): Promise<Reply>
}

export async function createSessionPair(options: SessionPairOptions): Promise<SessionPair> {
  const clock = options.clock ?? createVirtualClock()
  const learned = new Map<string, MethodInfo>()
  const reports: RpcError[] = []
  const served: Call[] = []
  const room = (limits: Partial<Limits> | undefined, codecs: readonly Codec[]): Room => ({
    clock,
    random: seededRandom(1),
    limits: resolveLimits(limits),
    codecs,
    info: options.info ?? (() => undefined),
    learn: (service, method, info) => learned.set(`${service}.${method}`, info),
    report: (what) => reports.push(what),
  })
  const transport = options.transport ?? createMemoryTransport()
  const { promise: accepted, resolve: accept } = Promise.withResolvers<{ session: Session; wire: Wire }>()
  const listener = await transport.listen({ transport: 'memory', name: 'server' }, (wire) => {
    const record: Handler = (call) => {
      served.push(call)
      return options.handler(call)
    }
    accept({
      session: options.protocol.accept(wire, record, room(options.serverLimits, options.codecs)),
      wire,
    })
  })
  const clientWire = await transport.dial(
    { transport: 'memory', name: 'server' },
    new AbortController().signal,
  )
  const client = options.protocol.dial(
    clientWire,
    room(options.clientLimits, options.clientCodecs ?? options.codecs),
  )
  const { session: server, wire: serverWire } = await accepted

  function start(
    method: string,
    args: readonly unknown[] = [],
    patch: Partial<CallInit> = {},
  ): { call: Call; reply: Promise<Reply> } {
    const call = new Call({
      clock,
      service: 'test',
      method,
      args: { list: args },
      deadline: clock.now() + 10_000,
      ...patch,
    })
    call.watchDeadline()
    return { call, reply: attempt(() => client.call(call)) }
  }

  return {
    clock,
    client,
    server,
    clientWire,
    serverWire,
    learned,
    reports,
    served,
    start,
    call: (method, args, patch) => start(method, args, patch).reply,
    async [Symbol.asyncDispose]() {
      const closing = [client.close(), server.close(), listener.close()]
      await clock.advance(2000)
      await Promise.all(closing)
    },
  }
}

async function attempt(fn: () => Reply | PromiseLike<Reply>): Promise<Reply> {
  return await fn()
}
