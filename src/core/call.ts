import type { Arguments, ArgumentsSource } from './arguments.ts'
import type { Clock } from './clock.ts'
import { markNotExecuted, type Phase, RpcError } from './error.ts'
import { append, each } from './few.ts'
import { Metadata } from './metadata.ts'
import type { MethodInfo } from './method-info.ts'
import type { Peer } from './peer.ts'
import type { Timed } from './wheel.ts'

export type { Arguments, ArgumentsSource } from './arguments.ts'

/** How a call ended. The call itself is its outcome, once it has ended. */
export interface Outcome {
  readonly error: RpcError | undefined
  /** The handler has certainly not run. */
  readonly notExecuted: boolean
  readonly startedAt: number
  /** When the reply began: a value, or the head of a stream. 0 if it never did. */
  readonly headAt: number
  readonly endedAt: number
}

/**
 * Who is told that a call is cancelled: a function, or an object that carries the call. Every call has one of the latter,
 * so none is made for it.
 */
export type CancelListener = ((reason: RpcError) => void) | { cancelled(reason: RpcError): void }
type EndListener = (outcome: Outcome) => void

/** What a call begins with. */
export interface CallInit {
  readonly clock: Clock
  readonly service: string
  readonly method: string
  readonly args: Arguments | ArgumentsSource
  /** Absolute, by `clock.now()`; Infinity for none. */
  readonly deadline: number
  /** Whether the deadline bounds a stream to its end (`timeoutMs` was given), or only to its first item. */
  readonly bounded?: boolean
  readonly info?: MethodInfo | undefined
  readonly oneway?: boolean
  readonly peer?: Peer | undefined
  readonly metadata?: Metadata | undefined
  readonly key?: string | undefined
  readonly attempt?: number
  readonly startedAt?: number
  readonly phase?: Phase
  readonly origin?: Call
  readonly tried?: ReadonlySet<unknown> | undefined
}

/**
 * Asked when the first attempt of a call has failed, with the call as it ended: what begins the next attempt, and gives
 * what that comes to; undefined if there is to be none.
 */
export type Judge = (failed: Call) => (() => PromiseLike<unknown>) | undefined

/** What an attempt changes of its call. */
export type CallPatch = Partial<Pick<CallInit, 'deadline' | 'attempt' | 'peer' | 'tried'>>

/**
 * One use of a method, on either side. One class with one shape, because every call makes one; what most calls never
 * touch (metadata, the abort signal, listeners) is made on first touch.
 *
 * It ends exactly once. `cancel` says that nobody wants the result any more; whoever carries the call out listens and
 * ends it.
 */
export class Call implements Outcome, Timed {
  readonly clock: Clock
  readonly service: string
  readonly method: string
  info: MethodInfo | undefined
  readonly bounded: boolean
  readonly oneway: boolean
  peer: Peer | undefined
  /** Who calls, as an auth layer found out; never what the caller merely says. A certificate is in `peer.tls`. */
  identity: unknown = undefined
  /** What a consistent-hash balancer goes by. */
  readonly key: string | undefined
  /** 1 for the first attempt; on the wire, so that a server sees retries. */
  readonly attempt: number
  /** Where the call is at the moment; errors report it. */
  phase: Phase
  /** An item was taken from a stream argument: the call cannot be made again. */
  inputTaken = false
  /** The call that this is a fork of. */
  readonly origin: Call | undefined
  /** The candidate that this attempt was given to; set by whoever picked it. */
  candidate: unknown = undefined
  /** The candidates of earlier attempts, which a balancer avoids; undefined for a first attempt. */
  readonly tried: ReadonlySet<unknown> | undefined
  /**
   * Set by a layer while an attempt ends with an error, to what comes instead: whoever settles the attempt resolves
   * with it and does not reject. So a retry costs no promise where there is nothing to retry. See `settle.ts`.
   */
  replacement: PromiseLike<unknown> | undefined = undefined

  readonly startedAt: number
  headAt = 0
  endedAt = 0
  error: RpcError | undefined = undefined
  notExecuted = false

  // The links of the deadline wheel, which knows the deadline as the time at which it is due.
  due: number
  before: Timed | undefined = undefined
  after: Timed | undefined = undefined
  slot = -1

  #args: Arguments | ArgumentsSource
  #metadata: Metadata | undefined
  #head: Metadata | undefined = undefined
  #trailer: Metadata | undefined = undefined
  #abort: AbortController | undefined = undefined
  #cancelled: RpcError | undefined = undefined
  #onCancel: CancelListener | CancelListener[] | undefined = undefined
  #onEnd: EndListener | EndListener[] | undefined = undefined
  #forks: Call | Call[] | undefined = undefined
  /** While the first attempt is under way: who listens to the call beyond it, and who judges its failure. */
  #outerCancel: CancelListener | CancelListener[] | undefined = undefined
  #outerEnd: EndListener | EndListener[] | undefined = undefined
  #judge: Judge | undefined = undefined

  constructor(init: CallInit) {
    this.clock = init.clock
    this.service = init.service
    this.method = init.method
    this.info = init.info
    this.due = init.deadline
    this.bounded = init.bounded ?? false
    this.oneway = init.oneway ?? false
    this.peer = init.peer
    this.key = init.key
    this.attempt = init.attempt ?? 1
    this.phase = init.phase ?? 'connect'
    this.origin = init.origin
    this.tried = init.tried
    this.startedAt = init.startedAt ?? init.clock.now()
    this.#args = init.args
    this.#metadata = init.metadata
  }

  /** `math.add`; only the method where the peer named no service. */
  get name(): string {
    return this.service === '' ? this.method : `${this.service}.${this.method}`
  }

  /**
   * The arguments; on a server they are decoded when this is first read, so that a refused call costs no decoding.
   * @throws RpcError `invalid_argument` if the peer sent something that does not decode.
   */
  get args(): Arguments {
    const args = this.#args
    return args.list === undefined ? (this.#args = args.decode()) : args
  }

  /** What the caller said beside the arguments. */
  get metadata(): Metadata {
    this.#metadata ??= new Metadata()
    return this.#metadata
  }

  /** What the callee says before its reply. */
  get head(): Metadata {
    this.#head ??= new Metadata()
    return this.#head
  }

  /** What the callee says after its reply. */
  get trailer(): Metadata {
    this.#trailer ??= new Metadata()
    return this.#trailer
  }

  /** The same three without making them: undefined where nothing was said. */
  get givenMetadata(): Metadata | undefined {
    return this.#metadata
  }

  get givenHead(): Metadata | undefined {
    return this.#head
  }

  get givenTrailer(): Metadata | undefined {
    return this.#trailer
  }

  /** Until when it may take, by the clock; Infinity for a stream that may go on. */
  get deadline(): number {
    return this.due
  }

  /** For who shortens it, and takes it out of the wheel before. */
  set deadline(at: number) {
    this.due = at
  }

  /** Aborted when the call is cancelled or its deadline passes; its reason is the RpcError. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#cancelled !== undefined) this.#abort.abort(this.#cancelled)
    }
    return this.#abort.signal
  }

  get ended(): boolean {
    return this.endedAt !== 0
  }

  /** Why it was cancelled, if it was. */
  get cancelled(): RpcError | undefined {
    return this.#cancelled
  }

  /** Milliseconds that are left, at least 0. */
  remainingMs(): number {
    return Math.max(0, this.deadline - this.clock.now())
  }

  /** Puts the deadline into the wheel, unless it is there. For who made the call; forks live under their origin's. */
  watchDeadline(): void {
    if (this.slot === -1 && this.due !== Number.POSITIVE_INFINITY) this.clock.deadlines.add(this)
  }

  /** It goes out to this peer; its origin then tells who had it last. */
  meet(peer: Peer): void {
    this.peer = peer
    this.origin?.meet(peer)
  }

  /** The reply has begun; a deadline that was only for that is over. */
  begin(): void {
    if (this.headAt !== 0) return
    this.headAt = this.clock.recent() || Number.MIN_VALUE
    this.origin?.begin()
  }

  /**
   * Puts the deadline off, for ever or to another time, unless the call is bounded: the first item of a stream is there,
   * and from now on it lives by keepalive and cancelling; or the peer has agreed to another time.
   */
  liftDeadline(to = Number.POSITIVE_INFINITY): void {
    if (this.bounded || this.ended) return
    this.clock.deadlines.remove(this)
    this.deadline = to
    if (this.origin === undefined) this.watchDeadline()
    else this.origin.liftDeadline(to)
  }

  /** The callee's metadata has come; it belongs to the origin too. */
  receive(which: 'head' | 'trailer', metadata: Metadata): void {
    if (which === 'head') this.#head = metadata
    else this.#trailer = metadata
    this.origin?.receive(which, metadata)
  }

  /** An item of a stream argument is being taken: neither this call nor its origin can be made again. */
  takeInput(): void {
    this.inputTaken = true
    this.origin?.takeInput()
  }

  /** Called by the wheel. */
  onDue(): void {
    this.cancel(this.#expired())
  }

  /** Nobody wants the result any more. Later reasons, and those after the end, are ignored. */
  cancel(reason: RpcError): void {
    if (this.#cancelled !== undefined || this.ended) return
    this.#cancelled = reason
    each(this.#forks, (fork) => fork.cancel(reason))
    const [attempt, outer] = [this.#onCancel, this.#outerCancel]
    each(attempt, (listener) => tellCancelled(listener, reason))
    each(outer, (listener) => tellCancelled(listener, reason))
    this.#onCancel = undefined
    this.#outerCancel = undefined
    this.#abort?.abort(reason)
  }

  /** Tells of cancelling without making an AbortSignal; at once if it has happened. */
  onCancel(listener: CancelListener): void {
    if (this.#cancelled !== undefined) tellCancelled(listener, this.#cancelled)
    else if (!this.ended) this.#onCancel = append(this.#onCancel, listener)
  }

  /** Tells of the end, exactly once; for a stream that is its last item, its failure or its cancelling. */
  onEnd(listener: (outcome: Outcome) => void): void {
    if (this.ended) listener(this)
    else this.#onEnd = append(this.#onEnd, listener)
  }

  /**
   * From here on this call is its own first attempt: who listens from now on listens to that, and is told of its end.
   * Where it fails the judge may begin another; then the call has not ended, and `replacement` is what comes instead.
   * Nearly all calls have one attempt, and need no second object for it.
   */
  attempted(judge: Judge): void {
    this.#judge = judge
    this.#outerCancel = this.#onCancel
    this.#outerEnd = this.#onEnd
    this.#onCancel = undefined
    this.#onEnd = undefined
  }

  /** The end. Only the first one counts; it returns false for any other. */
  end(error?: RpcError, notExecuted = false): boolean {
    if (this.ended) return false
    this.error = error
    this.notExecuted = notExecuted
    // Never 0, which means "not yet": a virtual clock may stand there.
    this.endedAt = this.clock.recent() || Number.MIN_VALUE
    if (this.#judge !== undefined && this.#goesOn(error)) return true
    this.clock.deadlines.remove(this)
    this.#onCancel = undefined
    this.#outerCancel = undefined
    this.#forks = undefined
    this.#tell(this.#onEnd)
    this.#onEnd = undefined
    this.#tell(this.#outerEnd)
    this.#outerEnd = undefined
    return true
  }

  /** The first attempt has ended. Whether another takes its place, so that the call goes on. */
  #goesOn(error: RpcError | undefined): boolean {
    const judge = this.#judge as Judge
    this.#judge = undefined
    if (error === undefined) return false
    const attempt = this.#onEnd
    this.#onEnd = undefined
    this.#tell(attempt)
    const begin = judge(this)
    if (begin === undefined) return false
    this.error = undefined
    this.notExecuted = false
    this.endedAt = 0
    this.#onCancel = this.#outerCancel
    this.#onEnd = this.#outerEnd
    this.#outerCancel = undefined
    this.#outerEnd = undefined
    this.replacement = begin()
    return true
  }

  /**
   * An attempt, a hedge, a leg of a broadcast: a call of its own with the same content, cancelled with its origin.
   * Metadata that the callee sends ends up in the origin too.
   */
  fork(patch: CallPatch = {}): Call {
    const fork = new Call({
      clock: this.clock,
      service: this.service,
      method: this.method,
      args: this.#args,
      deadline: patch.deadline ?? this.deadline,
      bounded: this.bounded,
      info: this.info,
      oneway: this.oneway,
      peer: patch.peer ?? this.peer,
      metadata: this.#metadata,
      key: this.key,
      attempt: patch.attempt ?? this.attempt,
      startedAt: this.clock.recent(),
      origin: this,
      tried: patch.tried ?? this.tried,
    })
    if (this.#cancelled !== undefined) fork.cancel(this.#cancelled)
    else this.#forks = append(this.#forks, fork)
    return fork
  }

  // Not by `each`: every call ends, and would make a closure for it.
  #tell(listeners: EndListener | EndListener[] | undefined): void {
    if (listeners === undefined) return
    if (typeof listeners === 'function') listeners(this)
    else for (const listener of listeners) listener(this)
  }

  #expired(): RpcError {
    const at = Array.isArray(this.#forks) ? this.#forks.at(-1) : this.#forks
    const phase = at?.phase ?? this.phase
    const waited = Math.round(this.deadline - this.startedAt)
    const peer = at?.peer ?? this.peer
    const where = peer === undefined ? '' : ` (${peer.address})`
    const error = new RpcError(
      'deadline_exceeded',
      `${this.name}: no answer within ${waited} ms, in phase '${phase}'${where}`,
      { phase },
    )
    return phase === 'connect' || phase === 'negotiate' ? markNotExecuted(error) : error
  }
}

function tellCancelled(listener: CancelListener, reason: RpcError): void {
  if (typeof listener === 'function') listener(reason)
  else listener.cancelled(reason)
}
