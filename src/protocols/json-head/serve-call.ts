import { type Arguments, Call } from '../../core/call.ts'
import { isNotExecuted, RpcError } from '../../core/error.ts'
import { type Handler, isPending, type Reply } from '../../core/layer.ts'
import type { Metadata } from '../../core/metadata.ts'
import type { Peer } from '../../core/peer.ts'
import { isStream } from '../../core/stream.ts'
import type { Room } from '../protocol.ts'

/** A request as a peer made it. */
export interface ServeInit {
  readonly room: Room
  readonly peer: Peer | undefined
  readonly handler: Handler
  readonly service: string
  readonly method: string
  readonly args: Arguments
  readonly oneway?: boolean
  /** Absolute, by the room's clock. Default: none, where the peer does not say how long it waits. */
  readonly deadline?: number
  readonly metadata?: Metadata | undefined
  /** The protocol, for errors. */
  readonly protocol: string
}

/**
 * Takes what a call came to: its value, or the error. Called exactly once, before the call ends; returns the error if
 * the value turns out to be one that cannot be sent.
 */
export type OnServed = (call: Call, value: unknown, error: RpcError | undefined) => RpcError | undefined

/**
 * Makes the call that a request stands for and has it carried out, where a reply is one value: for protocols without
 * streams. To abandon it, cancel it.
 */
export function serveCall(init: ServeInit, onServed: OnServed): Call {
  const { room, peer, service, method, args, metadata, oneway = false } = init
  const { deadline = Number.POSITIVE_INFINITY } = init
  const call = new Call({
    clock: room.clock,
    service,
    method,
    args,
    // The method itself may have a limit besides.
    deadline,
    oneway,
    peer,
    metadata,
    startedAt: room.clock.recent(),
    phase: 'read',
  })
  call.watchDeadline()
  run(new Served(call, init.protocol, onServed), init.handler)
  return call
}

/** `math.add` is method `add` of service `math`, split at the last dot; `add` names no service. */
export function splitName(name: string): { readonly service: string; readonly method: string } {
  const dot = name.lastIndexOf('.')
  if (dot <= 0) return { service: '', method: name }
  return { service: name.slice(0, dot), method: name.slice(dot + 1) }
}

class Served {
  readonly call: Call
  readonly #protocol: string
  readonly #onServed: OnServed
  #settled = false

  constructor(call: Call, protocol: string, onServed: OnServed) {
    this.call = call
    this.#protocol = protocol
    this.#onServed = onServed
    call.onCancel((reason) => this.fail(reason))
  }

  reply(value: Reply): void {
    if (isStream(value)) return this.#refuseStream(value)
    if (this.#settled) return
    this.#settled = true
    this.call.begin()
    this.call.phase = 'write'
    const problem = this.#onServed(this.call, value, undefined)
    this.call.end(problem)
  }

  fail(thrown: unknown): void {
    if (this.#settled) return
    this.#settled = true
    const error = RpcError.from(thrown, 'internal', 'handle')
    this.#onServed(this.call, undefined, error)
    this.call.end(error, isNotExecuted(error))
  }

  #refuseStream(stream: AsyncIterable<unknown>): void {
    // Nobody will iterate over it, so it is ended here.
    leave(stream).catch(() => {})
    this.fail(
      new RpcError(
        'unimplemented',
        `${this.call.name} answers with a stream, which the protocol '${this.#protocol}' cannot carry`,
      ),
    )
  }
}

function run(served: Served, handler: Handler): void {
  let reply: Reply | PromiseLike<Reply>
  try {
    reply = handler(served.call)
  } catch (thrown) {
    return served.fail(thrown)
  }
  // A synchronous answer is written in the turn in which its request was read.
  if (!isPending(reply)) return served.reply(reply)
  reply.then(
    (value) => served.reply(value),
    (thrown: unknown) => served.fail(thrown),
  )
}

async function leave(stream: AsyncIterable<unknown>): Promise<void> {
  await stream[Symbol.asyncIterator]().return?.()
}
