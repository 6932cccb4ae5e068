import { sleep } from '../../core/clock.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { jitter } from '../../core/random.ts'
import { encodeInstance } from '../api/instance-data.ts'
import { formatRevision } from '../api/revision.ts'
import { backoffMs } from '../backoff.ts'
import type { Latest } from '../latest.ts'
import type { Snapshot } from '../resolver.ts'
import type { Watch } from '../shared-watches.ts'
import type { DiscoveryRoom } from '../source.ts'
import { Told } from '../told.ts'
import type { Asking } from './dialect.ts'

// These registries tell nothing of a restart, so all that they say is one life of theirs.
const epoch = 'polled'

/** Asks again and again who is there, for ever. What was heard last is kept while nobody answers. */
export class PolledList implements Watch {
  readonly #asking: Asking
  readonly #room: DiscoveryRoom
  readonly #target: string
  readonly #stop = new AbortController()
  readonly #told: Told
  /** As they were named last, each with all that is known of it. */
  #named: ReadonlyMap<string, { readonly instance: Instance; readonly content: string }> = new Map()
  #revision = 0
  #failures = 0
  #asked = 0
  #taken = 0

  constructor(asking: Asking, options: { room: DiscoveryRoom; target: string }) {
    const { room, target } = options
    this.#asking = asking
    this.#room = room
    this.#target = target
    this.#told = new Told({ room, doubtMs: asking.periods.doubtMs, log: this.#log.bind(this) })
  }

  get snapshots(): Latest<Snapshot> {
    return this.#told.snapshots
  }

  async run(): Promise<void> {
    const { signal } = this.#stop
    const { clock, random } = this.#room
    while (!signal.aborted) {
      let waitMs = jitter(random, this.#asking.periods.pollMs, 0.1)
      try {
        await this.#ask(signal)
        this.#failures = 0
      } catch (thrown) {
        if (signal.aborted) return
        this.#told.broken(RpcError.from(thrown))
        waitMs = backoffMs(++this.#failures, random)
      }
      await sleep(clock, waitMs, signal).catch(() => {})
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#told.stop()
  }

  async refresh(signal: AbortSignal): Promise<Snapshot> {
    await this.#ask(AbortSignal.any([signal, this.#stop.signal]))
    return this.#told.snapshots.value ?? this.#told.publish()
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const asked = ++this.#asked
    const instances = await this.#asking.ask(signal)
    // Of two that are under way at once, the one that was asked later knows better.
    if (asked < this.#taken) return
    this.#taken = asked
    const isNews = this.#take(instances)
    const isBack = this.#told.answers()
    if (isBack || isNews) this.#told.publish()
    if (isBack) this.#log('debug', 'recovered', 'answers again')
  }

  /** Tells whether anything is different. What is not stays the same object, so that nobody looks at it again. */
  #take(instances: readonly Instance[]): boolean {
    const named = new Map(
      instances.map((instance) => {
        const content = JSON.stringify(encodeInstance(instance))
        const before = this.#named.get(instance.id)
        return [instance.id, before?.content === content ? before : { instance, content }]
      }),
    )
    const isSame =
      this.#told.revision !== undefined &&
      named.size === this.#named.size &&
      [...named].every(([id, one]) => this.#named.get(id) === one)
    if (isSame) return false
    this.#named = named
    const revision = formatRevision({ epoch, counter: ++this.#revision })
    this.#told.replace(
      [...named.values()].map(({ instance }) => instance),
      revision,
    )
    return true
  }

  #log(level: 'debug' | 'warn', event: string, what: string): void {
    const fields = { event: `resolver.${event}`, registry: this.#target }
    this.#room.logger[level](fields, `${this.#target}: ${what}`)
  }
}
