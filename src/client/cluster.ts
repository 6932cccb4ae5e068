import type { Balancer, Picker } from '../balancers/balancer.ts'
import type { Call } from '../core/call.ts'
import type { Clock } from '../core/clock.ts'
import { detached } from '../core/context.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Reply } from '../core/layer.ts'
import type { Logger } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import { refuse } from '../core/settle.ts'
import type { Query, Resolver, Snapshot } from '../discovery/resolver.ts'
import { Candidates, type CandidatesRoom } from './candidates.ts'
import { lacksService, wasUnsayable } from './lacking.ts'
import type { EndpointPool } from './pool.ts'
import { noInstance, noSuchInstance, unreachable, whileWaiting } from './nobody.ts'
import { type Decide, Waiting } from './waiting.ts'
import { watchForEver } from './watch.ts'

/** What a cluster finds around it. */
export interface ClusterRoom extends CandidatesRoom {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly resolver: Resolver
  readonly balancer: Balancer
  /** Where the resolver looks, for messages: `registry://127.0.0.1:9999`. */
  readonly source: { readonly name: string }
  /** Instances that the client knows of, also for other services: for the message when this one finds nobody. */
  known(): Iterable<Instance>
}

/**
 * Where one service is: it watches the resolver, holds a pool for each endpoint that the last good snapshot names, and
 * a picker made from them. It starts at its first use. A source that goes down changes nothing but the status.
 */
export class Cluster {
  readonly query: Query
  readonly #room: ClusterRoom
  readonly #stop = new AbortController()
  readonly #candidates: Candidates
  readonly #waiting = new Waiting()
  #snapshot: Snapshot | undefined
  #picker: Picker | undefined
  #started = false
  #outdated = false
  /** Who did not say what it offers, and has carried out a call of this service: it need not be watched any more. */
  readonly #offering = new WeakSet<EndpointPool>()
  readonly #onKnown = new Set<() => void>()

  constructor(query: Query, room: ClusterRoom) {
    this.query = query
    this.#room = room
    this.#candidates = new Candidates(room, () => this.#rebuildSoon())
  }

  /** What the resolver said last; undefined before it said anything. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** Everyone there is to choose from. */
  get candidates(): readonly EndpointPool[] {
    return this.#candidates.all
  }

  /** Gives a call to whom the balancer picks, or to the instance with this id; waits where it is not known who is there. */
  dispatch(call: Call, instance?: string): Reply | PromiseLike<Reply> {
    let picked: EndpointPool | undefined
    try {
      picked = this.pick(call, instance)
    } catch (thrown) {
      return refuse(call, RpcError.from(thrown))
    }
    return picked === undefined ? this.#wait(call, instance) : this.#give(call, picked, instance)
  }

  /** The candidate for a call as things are now. @throws what a balancer throws. */
  pick(call: Call, instance?: string): EndpointPool | undefined {
    if (instance !== undefined) return this.#candidates.ofInstance(instance)
    // What a balancer picks is one of those that it was given.
    return this.#picker?.pick(call) as EndpointPool | undefined
  }

  /** Resolves once a snapshot has come that knows something. @throws the signal's reason, or that of the closing. */
  async ready(signal: AbortSignal): Promise<void> {
    this.#start()
    if (this.#isKnown()) return
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        this.#onKnown.delete(known)
        reject(signal.reason)
      }
      const known = () => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
      this.#onKnown.add(known)
    })
    this.#stop.signal.throwIfAborted()
  }

  /** Everyone that takes calls, once it is known. Rejects where that is nobody. */
  async everyone(call: Call): Promise<readonly EndpointPool[]> {
    await this.ready(call.signal)
    const { open } = this.#candidates
    const hopeless = open.length === 0 ? this.hopeless(call) : undefined
    if (hopeless !== undefined) throw hopeless
    return open
  }

  /** Asks the source anew, where it can be asked. */
  async refresh(signal: AbortSignal): Promise<void> {
    this.#start()
    const snapshot = await this.#room.resolver.refresh?.(this.query, signal)
    if (snapshot === undefined) await this.ready(signal)
    else this.#update(snapshot)
  }

  /** Looks anew at what instances weigh for this client. */
  reweigh(): void {
    if (this.#snapshot === undefined) return
    this.#candidates.update(this.#snapshot.instances, this.query)
    this.#rebuild()
  }

  /** Ends the watch; calls that wait fail with the reason. */
  close(reason: RpcError): void {
    this.#stop.abort(reason)
    this.#picker = undefined
    this.#waiting.serve(this.#decide)
    this.#tellKnown()
  }

  #start(): void {
    if (this.#started || this.#stop.signal.aborted) return
    this.#started = true
    const watched = { ...this.#room, query: this.query, signal: this.#stop.signal }
    // The watch belongs to the client, not to the call that happens to be the first.
    detached(() => {
      void watchForEver(watched, (snapshot) => this.#update(snapshot))
    })
  }

  #isKnown(): boolean {
    return this.#snapshot !== undefined && this.#snapshot.status !== 'lost'
  }

  #update(next: Snapshot): void {
    if (this.#stop.signal.aborted) return
    const last = this.#snapshot
    // A source that is lost after it has been heard: what it said last goes on to hold.
    const holds = next.status === 'lost' && this.#isKnown() && last !== undefined
    const snapshot: Snapshot = holds ? { ...next, status: 'stale', instances: last.instances } : next
    this.#snapshot = snapshot
    if (snapshot.instances !== last?.instances) this.#candidates.update(snapshot.instances, this.query)
    this.#rebuild()
    if (this.#isKnown()) this.#tellKnown()
  }

  #tellKnown(): void {
    for (const tell of this.#onKnown) tell()
    this.#onKnown.clear()
  }

  // Many endpoints often change in one turn; the picker is made once for all of them.
  #rebuildSoon(): void {
    if (this.#outdated) return
    this.#outdated = true
    detached(() => this.#room.clock.defer(() => this.#rebuild()))
  }

  #rebuild(): void {
    this.#outdated = false
    if (this.#stop.signal.aborted) return
    this.#candidates.choose()
    this.#picker = this.#makePicker(this.#candidates.open)
    this.#waiting.serve(this.#decide)
  }

  // None where there is nobody who could be picked with any use; then calls are told why.
  #makePicker(open: readonly EndpointPool[]): Picker | undefined {
    if (open.every(({ state }) => state === 'failing')) return undefined
    const { balancer, clock, random, logger } = this.#room
    try {
      return balancer(open, { clock, random, previous: this.#picker })
    } catch (thrown) {
      const error = RpcError.from(thrown)
      logger.error(
        { event: 'client.balancer', service: this.query.service, err: error },
        'the balancer failed; the last picker goes on',
      )
      return this.#picker
    }
  }

  readonly #decide: Decide = (call, instance) => {
    const hopeless = this.hopeless(call, instance)
    if (hopeless !== undefined) return () => refuse(call, hopeless)
    try {
      const picked = this.pick(call, instance)
      return picked === undefined ? undefined : () => this.#give(call, picked, instance)
    } catch (thrown) {
      return () => refuse(call, RpcError.from(thrown))
    }
  }

  /**
   * Whether a leg of a broadcast was of no use: others say that they have the service, and this one, which said nothing,
   * lacks it. Where nobody says what he offers, as in a list of addresses, every answer counts.
   */
  isStray(call: Call, pool: EndpointPool, error: RpcError): boolean {
    const isOffered = this.#candidates.all.some(({ instance }) => instance.services.length > 0)
    return isOffered && this.#lacks(call, pool, error)
  }

  // Who did not say what it offers, and shows by its error that it lacks the service, is for a while no candidate any more
  // where there are others.
  #lacks(call: Call, pool: EndpointPool, error: RpcError): boolean {
    if (pool.instance.services.length > 0 || !lacksService(call, error)) return false
    this.#candidates.lacks(pool)
    this.#rebuild()
    return true
  }

  // Who registered without the names of its services is asked. Where it lacks this one, or its protocol has no way to say
  // the call, the next is.
  #give(call: Call, picked: EndpointPool, instance?: string): Reply | PromiseLike<Reply> {
    if (picked.instance.services.length > 0 || this.#offering.has(picked)) return give(call, picked)
    if (instance !== undefined || this.#candidates.open.length < 2) return give(call, picked)
    const fork = call.fork()
    fork.onEnd(({ error, notExecuted }) => {
      if (error === undefined) this.#offering.add(picked)
      const next = error === undefined ? undefined : this.#next(call, picked, { error, notExecuted })
      if (next !== undefined) {
        fork.replacement = this.#again(next)
        return
      }
      call.end(error, notExecuted)
      // A layer may have put another attempt in the place of this one.
      fork.replacement = call.replacement
    })
    call.candidate = picked
    return give(fork, picked)
  }

  /** The call for somebody else, where it was not for this one; undefined where there is nobody else. */
  #next(
    call: Call,
    picked: EndpointPool,
    failed: { error: RpcError; notExecuted: boolean },
  ): Call | undefined {
    const lacks = this.#lacks(call, picked, failed.error)
    const { open } = this.#candidates
    if (call.cancelled !== undefined || call.inputTaken) return undefined
    if (lacks) return open.length > 0 && !open.includes(picked) ? call : undefined
    // It may have the service: that a call cannot be said to it does not tell.
    if (!wasUnsayable(failed.error, failed.notExecuted) || call.tried?.has(picked)) return undefined
    const tried = new Set(call.tried).add(picked)
    if (open.every((pool) => tried.has(pool))) return undefined
    const next = call.fork({ tried })
    next.onEnd((outcome) => {
      call.candidate = next.candidate
      call.end(outcome.error, outcome.notExecuted)
      next.replacement = call.replacement
    })
    return next
  }

  // Async, for a replacement is a promise, whatever the next one does.
  async #again(call: Call): Promise<Reply> {
    return this.dispatch(call)
  }

  #wait(call: Call, instance: string | undefined): Reply | PromiseLike<Reply> {
    this.#start()
    const hopeless = this.hopeless(call, instance)
    if (hopeless !== undefined) return refuse(call, hopeless)
    const explain = (reason: RpcError) => whileWaiting(reason, this.#room.source.name, this.#snapshot)
    return this.#waiting.add(call, instance, explain)
  }

  /** Why there is no use in waiting for somebody; undefined where there is. */
  hopeless(call: Call, instance?: string): RpcError | undefined {
    const { aborted, reason } = this.#stop.signal
    if (aborted) return reason as RpcError
    if (this.#snapshot === undefined || !this.#isKnown()) return undefined
    const { all, open } = this.#candidates
    const source = this.#room.source.name
    if (all.length === 0) {
      const known = [...this.#room.known()]
      return noInstance({ query: this.query, source, snapshot: this.#snapshot, known })
    }
    if (instance !== undefined && this.#candidates.ofInstance(instance) === undefined) {
      return noSuchInstance(call.service, instance, source)
    }
    return open.every(({ state }) => state === 'failing')
      ? unreachable(call.service, source, open)
      : undefined
  }
}

/** Gives a call to a candidate, which ends it. */
export function give(call: Call, candidate: EndpointPool): Reply | PromiseLike<Reply> {
  call.candidate = candidate
  return candidate.call(call)
}
