import type { Call } from '../../core/call.ts'
import type { ServiceDescription } from '../../core/describe.ts'
import { isNotExecuted, markNotExecuted, RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { showName } from '../../core/names.ts'
import { JsonLink, type JsonLinkOwner } from '../json-head/json-link.ts'
import { readJson } from '../json-head/read-json.ts'
import { serveCall, splitName } from '../json-head/serve-call.ts'
import type { Room, Session, SessionState } from '../protocol.ts'
import type { Wire } from '../../transports/transport.ts'
import { listMethod, listMethods } from './method-list.ts'
import { type LabRequest, readRequest } from './request.ts'
import { writeError, writeResult } from './reply.ts'

/** The original clients take what one `recv(1024)` gives for the whole answer. */
export const originalReadBytes = 1024

export interface LabServerInit {
  readonly wire: Wire
  readonly handler: Handler
  readonly room: Room
  /** A reply is longer than an original client can read. */
  onLongReply(name: string, length: number): void
}

/** The server's side of a connection. */
export function acceptLabJson(init: LabServerInit): Session {
  return new LabJsonServer(init)
}

/** A request, or what is wrong with one; after garbage there is no next one. */
type Job =
  | { readonly kind: 'request'; readonly request: LabRequest }
  | { readonly kind: 'problem'; readonly problem: RpcError; readonly last: boolean }

class LabJsonServer implements Session, JsonLinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit = 1
  readonly #init: LabServerInit
  readonly #link: JsonLink
  /** Those behind the one that is being carried out. */
  #jobs: Job[] = []
  #paused = false
  #working = false
  #busy = false
  #call: Call | undefined = undefined
  #ended = false

  constructor(init: LabServerInit) {
    this.#init = init
    this.#link = new JsonLink(init.wire, init.room, { owner: this, lists: false })
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#busy ? 1 : 0
  }

  get held(): number {
    return this.#link.held
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.onState('draining')
    this.#work()
  }

  close(reason?: RpcError): Promise<void> {
    this.#jobs = []
    this.#call?.cancel(reason ?? new RpcError('unavailable', 'the server has closed the connection'))
    return this.#link.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  readonly onMessage: JsonLinkOwner['onMessage'] = (bytes, range, problem) => {
    this.#add(problem === undefined ? readJob(bytes, range) : { kind: 'problem', problem, last: false })
  }

  onGarbage(problem: RpcError): void {
    this.#add({ kind: 'problem', problem, last: true })
  }

  onEnd(): void {
    this.#ended = true
    this.#work()
  }

  onClosed(reason: RpcError | undefined): void {
    this.#jobs = []
    const why = reason === undefined ? '' : `: ${reason.message}`
    this.#call?.cancel(
      new RpcError('cancelled', `the connection to the caller was lost${why}`, {
        cause: reason,
        phase: 'write',
      }),
    )
    this.onState('closed', reason)
  }

  // A request waits until the one before it is answered; meanwhile no more are read.
  #add(job: Job): void {
    this.#jobs.push(job)
    this.#work()
    if (this.#jobs.length === 0 || this.#paused) return
    this.#paused = true
    this.#init.wire.pause()
  }

  #work(): void {
    // An answer that comes at once is within this loop already.
    if (this.#working) return
    this.#working = true
    while (!this.#busy) {
      const job = this.#jobs.shift()
      if (job === undefined) break
      this.#start(job)
    }
    this.#working = false
    if (this.#busy) return
    if (this.#ended || this.state === 'draining') void this.#link.finish()
    else if (this.#paused) {
      this.#paused = false
      this.#init.wire.resume()
    }
  }

  #start(job: Job): void {
    if (job.kind === 'problem') {
      this.#sendError(job.problem)
      if (job.last) void this.#link.finish(job.problem)
    } else if (this.state === 'draining') {
      this.#sendError(markNotExecuted(new RpcError('unavailable', 'the server is draining')))
    } else this.#serve(job.request)
  }

  #serve({ name, args }: LabRequest): void {
    const { room, handler, wire } = this.#init
    const isList = name === listMethod
    const target = isList ? { service: 'farcall.meta', method: 'methods' } : splitName(name)
    this.#busy = true
    const call = serveCall(
      { room, handler, peer: wire.peer, ...target, args, protocol: 'lab-json' },
      (_call, value, error) => {
        this.#call = undefined
        const problem = error === undefined ? this.#sendResult(name, value) : this.#sendError(error)
        this.#busy = false
        this.#work()
        return problem
      },
    )
    if (!call.ended) this.#call = call
  }

  #sendResult(name: string, value: unknown): RpcError | undefined {
    try {
      const result = name === listMethod ? listMethods(value as readonly ServiceDescription[]) : value
      const text = writeResult(result, this.#init.room.limits)
      if (text.length > originalReadBytes) this.#init.onLongReply(name, text.length)
      this.#link.send(text)
      return undefined
    } catch (thrown) {
      const { code, message } = RpcError.from(thrown)
      const error = new RpcError(
        code === 'invalid_argument' ? 'internal' : code,
        `the result of ${showName(name)} cannot be sent: ${message}`,
        { cause: thrown, phase: 'write' },
      )
      this.#sendError(error)
      return error
    }
  }

  #sendError(error: RpcError): undefined {
    this.#link.send(writeError(error, isNotExecuted(error), this.#init.room.limits))
  }
}

function readJob(bytes: Uint8Array, range: { readonly start: number; readonly end: number }): Job {
  try {
    return { kind: 'request', request: readRequest(readJson(bytes, range, 'python')) }
  } catch (thrown) {
    return { kind: 'problem', problem: RpcError.from(thrown, 'invalid_argument', 'read'), last: false }
  }
}
