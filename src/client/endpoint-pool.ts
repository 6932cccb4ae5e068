import type { CandidateState } from '../balancers/balancer.ts'
import type { Load } from '../balancers/load.ts'
import type { Call } from '../core/call.ts'
import { CallQueue } from '../core/call-queue.ts'
import { type Endpoint, formatAddress, formatEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Handler, Reply } from '../core/layer.ts'
import type { Peer } from '../core/peer.ts'
import { refuse } from '../core/settle.ts'
import type { Capabilities, ClientSession, SessionState } from '../protocols/protocol.ts'
import { carriesAll, lackOf } from './capabilities.ts'
import { type Dialing, openSession, phaseOf } from './dialer.ts'
import { liftDefault } from './lift-default.ts'
import { LoadTracker } from './load-tracker.ts'
import type { EndpointPool, EndpointPoolInit, EndpointStatus } from './pool.ts'
import { PoolLog } from './pool-log.ts'
import {
  closedError,
  drainingError,
  executedOrNot,
  failingError,
  fullError,
  shortLifeMs,
  shortLived,
} from './pool-errors.ts'
import { Reconnect } from './reconnect.ts'
import { type ResolvedPoolOptions, resolvePoolOptions } from './pool-options.ts'

/** Makes the pool of an endpoint; it does nothing until it is used. */
export function createEndpointPool(init: EndpointPoolInit): EndpointPool {
  return new SessionPool(init)
}

interface Member {
  readonly session: ClientSession
  readonly readyAt: number
}

class SessionPool implements EndpointPool {
  instance: Instance
  readonly endpoint: Endpoint
  readonly load: Load
  onState: (state: CandidateState) => void = () => {}
  readonly #init: EndpointPoolInit
  readonly #kind: Capabilities['calls']
  readonly #options: ResolvedPoolOptions
  readonly #log: PoolLog
  readonly #name: string
  readonly #peer: Peer
  readonly #tracker: LoadTracker
  /** Any call may go to any ready session, and nothing need be looked at first. */
  readonly #simple: boolean
  readonly #queue = new CallQueue()

  #life: 'open' | 'draining' | 'closed' = 'open'
  #state: CandidateState
  #since: number
  /** The session for the next call, while nothing stands in the way. */
  #current: ClientSession | undefined
  #members: Member[] = []
  /** Sessions that take no more calls but have some. */
  readonly #leaving = new Set<ClientSession>()
  readonly #dialings = new Set<Dialing>()
  /** How many calls the next session will probably take. */
  #expectedLimit = Number.POSITIVE_INFINITY
  readonly #reconnect: Reconnect
  #lastError: RpcError | undefined
  /** It could be connected to when that was last tried: all that can be known where no connection is kept. */
  #reached = true
  #pumping = false
  #closing: Promise<void> | undefined
  #onGone: (() => void) | undefined

  constructor(init: EndpointPoolInit) {
    this.#init = init
    this.#kind = init.protocol.can.calls
    this.#options = resolvePoolOptions(init.options, init.protocol)
    this.instance = init.instance
    this.endpoint = init.endpoint
    this.#name = formatEndpoint(init.endpoint)
    this.#log = new PoolLog(init.logger, this.#name)
    const { transport } = init.endpoint.address
    this.#peer = { transport, address: formatAddress(init.endpoint.address), protocol: init.protocol.name }
    this.#tracker = new LoadTracker(() => this.#freed())
    this.load = this.#tracker
    this.#simple =
      this.#kind === 'many' && carriesAll(init.protocol) && init.protocol.handleTimeoutMs === undefined
    if (this.#kind !== 'many') this.#expectedLimit = 1
    this.#reconnect = new Reconnect(this.#options.backoff, init.room)
    this.#state = this.#nextState()
    this.#since = init.room.clock.now()
  }

  get state(): CandidateState {
    return this.#state
  }

  readonly call: Handler = (call) => {
    const session = this.#current
    // The way of nearly every call: no promise, no closure, no search.
    if (
      session !== undefined &&
      session.inFlight < session.limit &&
      this.#queue.size === 0 &&
      call.cancelled === undefined
    ) {
      this.#tracker.start(call)
      return session.call(call)
    }
    return this.#admit(call)
  }

  connect(): void {
    if (this.#state === 'idle') this.#open()
  }

  status(): EndpointStatus {
    return {
      endpoint: this.#name,
      state: this.#life === 'open' ? this.#state : this.#life,
      sessions: this.#members.length,
      inFlight: this.load.inFlight,
      latencyMs: this.load.latencyMs,
      successRate: this.load.successRate,
      lastError: this.#lastError,
      since: this.#since,
    }
  }

  setInstance(instance: Instance): void {
    this.instance = instance
  }

  drain(): void {
    if (this.#life === 'open') this.#end('draining', drainingError(this.#name))
  }

  close(reason: RpcError = closedError(this.#name), graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(reason, graceMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(reason: RpcError, graceMs: number): Promise<void> {
    this.#end('closed', reason)
    if (graceMs > 0 && this.#leaving.size > 0) await this.#gone(graceMs)
    const inFlight = executedOrNot(reason)
    const closing = [...this.#leaving].map((session) => session.close(inFlight))
    closing.push(...[...this.#dialings].map((dialing) => dialing.stop()))
    await Promise.allSettled(closing)
  }

  #end(life: 'draining' | 'closed', reason: RpcError): void {
    this.#life = life
    this.#current = undefined
    this.#reconnect.stop()
    for (const dialing of this.#dialings) void dialing.stop().catch(() => {})
    this.#queue.refuseAll(reason)
    const members = this.#members
    this.#members = []
    for (const { session } of members) {
      this.#leaving.add(session)
      session.drain()
    }
    this.#update()
  }

  #gone(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#init.room.clock.after(graceMs, resolve)
      this.#onGone = () => {
        stop()
        resolve()
      }
    })
  }

  #admit(call: Call): Reply | PromiseLike<Reply> {
    if (call.cancelled !== undefined) return refuse(call, call.cancelled, true)
    if (this.#life !== 'open')
      return refuse(call, this.#life === 'draining' ? drainingError(this.#name) : closedError(this.#name))
    const lack = this.#simple ? undefined : lackOf(this.#init.protocol, call)
    if (lack !== undefined) return refuse(call, lack)
    const free = this.#queue.size === 0 ? this.#free() : undefined
    if (free !== undefined) {
      if (this.#simple) this.#current = free.session
      this.#tracker.start(call)
      return this.#give(call, free)
    }
    if (this.#state === 'failing')
      return refuse(call, failingError(this.#name, this.#lastError, this.#reconnect.remainingMs))
    const { maxPendingCalls } = this.#init.room.limits
    if (this.#queue.size >= maxPendingCalls) return refuse(call, fullError(this.#name, maxPendingCalls))
    // Where each call makes a connection, that is a part of how long it takes.
    if (this.#kind === 'one-per-connection') this.#tracker.start(call)
    else this.#tracker.wait(call)
    call.peer = this.#peer
    const reply = this.#queue.add(call)
    this.#openMore()
    call.phase = this.#members.length > 0 ? 'send' : phaseOf(this.#dialings)
    return reply
  }

  #give(call: Call, member: Member): Reply | PromiseLike<Reply> {
    const { session } = member
    switch (this.#kind) {
      case 'many':
        break
      case 'one-at-a-time':
        // The answer to a cancelled call would be taken for that of the next one.
        if (!this.#init.protocol.can.cancel)
          call.onEnd(() => call.cancelled !== undefined && this.#discard(member))
        break
      case 'one-per-connection':
        this.#leave(member)
        call.onEnd(() => this.#discard(member))
        break
    }
    liftDefault(call, this.#options.defaultTimeoutMs, this.#init.protocol)
    return session.call(call)
  }

  #leave(member: Member): void {
    this.#members = this.#members.filter((one) => one !== member)
    this.#leaving.add(member.session)
    this.#choose()
    this.#update()
  }

  #discard(member: Member): void {
    if (member.session.state === 'closed') return
    this.#leave(member)
    // After this turn: the session is in the middle of ending the call.
    this.#init.room.clock.defer(() => {
      member.session.close().catch((error) => this.#init.room.report(RpcError.from(error)))
    })
  }

  #free(): Member | undefined {
    return this.#members.find(({ session }) => session.state === 'ready' && session.inFlight < session.limit)
  }

  #choose(): void {
    if (this.#simple) this.#current = (this.#free() ?? this.#members[0])?.session
  }

  #freed(): void {
    if (this.#pumping || this.#queue.size === 0) return
    this.#pumping = true
    // Not now: whoever ends the call may be in the middle of something, and has not counted it out yet.
    this.#init.room.clock.defer(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  #pump(): void {
    for (let free = this.#free(); free !== undefined && this.#queue.size > 0; free = this.#free()) {
      const member = free
      this.#queue.release((call) => {
        call.phase = 'send'
        return this.#give(call, member)
      })
    }
    this.#choose()
    this.#openMore()
  }

  #openMore(): void {
    if (this.#life !== 'open' || this.#reconnect.waiting || this.#queue.size === 0) return
    const needed = Math.max(1, Math.ceil(this.#queue.size / this.#expectedLimit))
    const busy = this.#kind === 'one-per-connection' ? this.#leaving.size : 0
    const open = () => this.#members.length + busy + this.#dialings.size
    while (this.#dialings.size < needed && open() < this.#options.maxSessions) this.#open()
  }

  #open(): void {
    this.#reconnect.trying()
    const { protocol, room } = this.#init
    const dialing = openSession(
      {
        name: this.#name,
        protocol,
        room,
        time: this.#options.connecting,
        dial: (signal) => this.#init.dial(signal),
      },
      {
        negotiating: () => {
          if (this.#members.length > 0) return
          for (const call of this.#queue.calls()) call.phase = 'negotiate'
        },
        ready: (session) => {
          this.#dialings.delete(dialing)
          this.#join(session)
        },
        failed: (error) => {
          this.#dialings.delete(dialing)
          this.#fail(error)
        },
      },
    )
    this.#dialings.add(dialing)
    this.#update()
  }

  #join(session: ClientSession): void {
    const member: Member = { session, readyAt: this.#init.room.clock.now() }
    session.onState = (state, reason) => this.#follow(member, state, reason)
    this.#members.push(member)
    this.#reconnect.reached()
    this.#lastError = undefined
    this.#reached = true
    if (this.#kind === 'many') this.#expectedLimit = Math.max(1, session.limit)
    this.#log.connected(this.#members.length)
    this.#update()
    this.#pump()
    // It was to show whether there is somebody, or its call is gone: the next one makes its own.
    if (this.#kind === 'one-per-connection' && this.#members.includes(member)) this.#discard(member)
  }

  #follow(member: Member, state: SessionState, reason: RpcError | undefined): void {
    const mine = this.#members.includes(member)
    switch (state) {
      case 'opening':
        return
      case 'ready':
        return this.#pump()
      case 'draining':
        if (mine) this.#leave(member)
        break
      case 'closed':
        this.#members = this.#members.filter((one) => one !== member)
        this.#leaving.delete(member.session)
        if (this.#leaving.size === 0) this.#onGone?.()
        this.#choose()
        if (this.#queue.size > 0) this.#freed()
        break
    }
    if (!mine || this.#life !== 'open') return
    if (reason !== undefined) this.#lastError = reason
    this.#log.ended(state, reason)
    const isYoung = this.#init.room.clock.now() - member.readyAt < shortLifeMs
    if (!isYoung) this.#reconnect.forget()
    if (isYoung && (state === 'closed' || this.#reconnect.drainedAgain()))
      this.#fail(shortLived(this.#name, reason))
    else this.#replace(member)
    this.#update()
  }

  // A connection that was used will be used again. A moment later, and not all clients of a server at once.
  #replace(member: Member): void {
    if (this.#members.length > 0 || this.#dialings.size > 0 || this.#reconnect.waiting) return
    if (this.#queue.size > 0) return this.#openMore()
    if (this.#kind !== 'one-per-connection' && this.load.usedAt >= member.readyAt)
      this.#reconnect.soon(() => this.#open())
  }

  #fail(error: RpcError): void {
    if (this.#life !== 'open') return
    this.#lastError = error
    // Several that were dialled together and fail together are one failure.
    if (!this.#reconnect.waiting) this.#wait()
    const hopeless = this.#members.length === 0 && this.#dialings.size === 0
    if (hopeless) this.#reached = false
    this.#update()
    if (hopeless) this.#queue.refuseAll(error)
  }

  #wait(): void {
    const ms = this.#reconnect.afterFailure(() => {
      if (this.#queue.size > 0) this.#openMore()
      else if (this.#members.length === 0 && this.#dialings.size === 0) this.#open()
      this.#update()
    })
    this.#log.unreachable(this.#lastError, ms)
  }

  #update(): void {
    const state = this.#nextState()
    if (this.#life === 'open') this.#choose()
    if (state === this.#state) return
    this.#state = state
    this.#since = this.#init.room.clock.now()
    this.onState(state)
  }

  #nextState(): CandidateState {
    if (this.#life !== 'open') return 'failing'
    // Without connections that are kept there is nothing to be ahead of: it can be called as well as any other.
    if (this.#members.length > 0 || (this.#reached && this.#kind === 'one-per-connection')) return 'ready'
    if (this.#dialings.size > 0) return 'connecting'
    return this.#reconnect.waiting ? 'failing' : 'idle'
  }
}
