import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { showName } from '../../core/names.ts'
import { unknownServiceText } from '../../core/router.ts'
import { labRegistryService } from '../../discovery/api/lab-registry.ts'
import type { Wire } from '../../transports/transport.ts'
import { Link, type LinkOwner } from '../json-head/link.ts'
import { serveCall } from '../json-head/serve-call.ts'
import type { Room, Session, SessionState } from '../protocol.ts'
import { Incoming } from './incoming.ts'
import type { LabParts } from './parts.ts'
import { isComplete, type LabRequest, readRequest } from './request.ts'
import { type LabResponse, responseTo, writeResponse } from './response.ts'
import type { LabSchema } from './schema.ts'

export interface LabServerInit extends LabParts {
  readonly wire: Wire
  readonly handler: Handler
  readonly room: Room
}

/** The server's side of a connection: one request, one response, and the end. */
export function acceptLabProtobuf(init: LabServerInit): Session {
  return new LabProtobufServer(init)
}

const maxContentLength = 10_000

class LabProtobufServer implements Session, LinkOwner {
  onState: (state: SessionState, reason?: RpcError) => void = () => {}
  readonly limit = 1
  readonly #init: LabServerInit
  readonly #link: Link
  readonly #incoming: Incoming
  /** The request is being read no more. */
  #taken = false
  #ended = false
  #call: Call | undefined = undefined
  #stopWaiting: (() => void) | undefined = undefined

  constructor(init: LabServerInit) {
    const { wire, room, schema } = init
    this.#init = init
    this.#link = new Link(wire, room, { owner: this, state: 'ready' })
    this.#incoming = new Incoming(room.limits)
    if (schema.value !== undefined) return
    schema.whenLoaded(
      () => this.#look(),
      (problem) => {
        room.report(problem)
        this.#link.abort(problem)
      },
    )
  }

  get state(): SessionState {
    return this.#link.state
  }

  get inFlight(): number {
    return this.#call === undefined ? 0 : 1
  }

  get partial(): boolean {
    return !this.#taken && !this.#incoming.isEmpty
  }

  get held(): number {
    return this.#incoming.held
  }

  drain(): void {
    if (!this.#link.enter('draining')) return
    this.onState('draining')
    // One that has begun to ask is told; one that is being answered is answered.
    if (!this.#taken && this.#incoming.isEmpty) void this.#link.finish()
  }

  close(reason?: RpcError): Promise<void> {
    this.#taken = true
    this.#stopWaiting?.()
    this.#call?.cancel(reason ?? new RpcError('unavailable', 'the server has closed the connection'))
    return this.#link.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  onData(chunk: Uint8Array): void {
    // What comes behind a request that has been taken can change nothing.
    if (this.#taken) return
    this.#incoming.push(chunk)
    this.#look()
  }

  onEnd(): void {
    this.#ended = true
    if (this.#taken) return
    if (this.#incoming.isEmpty) return void this.#link.finish()
    if (!this.#incoming.isWhole)
      throw new RpcError('invalid_argument', 'the connection ends in the middle of a request', {
        phase: 'read',
      })
    this.#look()
  }

  onGarbage(problem: RpcError): void {
    this.#refuse(problem)
  }

  onClosed(reason: RpcError | undefined): void {
    this.#stopWaiting?.()
    this.#incoming.clear()
    const why = reason === undefined ? '' : `: ${reason.message}`
    const options = { cause: reason, phase: 'write' } as const
    this.#call?.cancel(new RpcError('cancelled', `the connection to the caller was lost${why}`, options))
    this.onState('closed', reason)
  }

  // Nothing says where a request ends. It is taken when all is there that counts of it, when its sender has ended, or
  // when it could be all and nothing more has come for a while.
  #look(): void {
    this.#stopWaiting?.()
    const schema = this.#init.schema.value
    if (schema === undefined || this.#taken || !this.#link.listening || !this.#incoming.isWhole) return
    if (this.#ended || isComplete(schema, this.#incoming)) return this.#take(schema)
    const { clock } = this.#init.room
    this.#stopWaiting = clock.afterInBackground(this.#init.quietMs, () => this.#take(schema))
  }

  #take(schema: LabSchema): void {
    this.#taken = true
    let request: LabRequest
    try {
      request = readRequest(schema, this.#incoming.bytes, this.#init.room.limits)
    } catch (thrown) {
      return this.#refuse(RpcError.from(thrown, 'invalid_argument', 'read'))
    } finally {
      this.#incoming.clear()
    }
    if (this.state === 'draining')
      return this.#answer(schema, { type: 'fail', content: 'the server is draining' })
    this.#serve(schema, request)
  }

  #serve(schema: LabSchema, request: LabRequest): void {
    const { room, handler, wire } = this.#init
    const { service, method, args } = request
    const call = serveCall(
      { room, handler, peer: wire.peer, service, method, args, protocol: 'lab-protobuf' },
      (_call, value, error) => {
        this.#call = undefined
        if (error === undefined) return this.#answerWith(schema, request, value)
        this.#answer(schema, { type: 'fail', content: contentOf(request, error) })
        return undefined
      },
    )
    if (!call.ended) this.#call = call
  }

  #answerWith(schema: LabSchema, request: LabRequest, value: unknown): RpcError | undefined {
    try {
      this.#send(schema, responseTo(schema, request, value))
      return undefined
    } catch (thrown) {
      const { code, message } = RpcError.from(thrown)
      const error = new RpcError(
        code === 'invalid_argument' ? 'internal' : code,
        `the result of ${showName(request.method)} cannot be sent: ${message}`,
        { cause: thrown, phase: 'write' },
      )
      this.#answer(schema, { type: 'fail', content: error.message })
      return error
    }
  }

  #refuse(problem: RpcError): void {
    this.#taken = true
    this.#stopWaiting?.()
    const schema = this.#init.schema.value
    if (schema === undefined) return this.#link.abort(problem)
    this.#answer(schema, { type: 'error', content: problem.message }, problem)
  }

  #answer(schema: LabSchema, { type, content = '' }: LabResponse, reason?: RpcError): void {
    try {
      this.#send(schema, { type, content: content.slice(0, maxContentLength) }, reason)
    } catch (thrown) {
      // A peer that is told nothing would wait for ever.
      this.#link.abort(RpcError.from(thrown, 'internal', 'write'))
    }
  }

  #send(schema: LabSchema, response: LabResponse, reason?: RpcError): void {
    if (!this.#link.open) return
    const { wire, room, time } = this.#init
    writeResponse(schema, response, { output: wire.out, limits: room.limits, time: time() })
    this.#link.commit()
    this.#link.finishWhenSent(reason)
  }
}

function contentOf({ service }: LabRequest, { code, message }: RpcError): string {
  if (service === labRegistryService && code === 'not_found' && message.startsWith(unknownServiceText))
    return 'this server is no registry'
  return message === '' ? `the call failed: ${code}` : message
}
