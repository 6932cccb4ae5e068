import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import { decodeInstance, encodeInstance } from './api/instance-data.ts'
import type { Registration } from './registrar.ts'

/** What a registration asks of the registrar that it shares with others. */
export interface Keeper {
  /** Why the registry cannot be told anything now. */
  readonly trouble: RpcError | undefined
  /** Something is to be announced differently; resolves when the registry has it. */
  changed(): Promise<void>
  /** It is to be taken back; resolves when the registry has done so, or after a bounded time. */
  remove(registration: HeldRegistration): Promise<void>
}

/** One server's part of what a process announces. */
export class HeldRegistration implements Registration {
  readonly ready: Promise<void>
  onLost: (reason: RpcError) => void = () => {}
  readonly ttlMs: number
  /** What is to be announced; undefined when the registry refused it for good. */
  instances: readonly Instance[] | undefined
  /** What the registry has taken. */
  accepted: readonly Instance[] | undefined = undefined
  readonly #keeper: Keeper
  readonly #ready: PromiseWithResolvers<void> = Promise.withResolvers()
  #draining = false
  #closing: Promise<void> | undefined

  /** @throws RpcError `invalid_argument` for instances that no registry could take. */
  constructor(keeper: Keeper, instances: readonly Instance[], ttlMs: number) {
    this.#keeper = keeper
    this.ttlMs = ttlMs
    this.ready = this.#ready.promise
    // Whoever wants to know waits for it; nobody has to.
    this.ready.catch(() => {})
    this.instances = checked(instances)
  }

  get taken(): boolean {
    return this.accepted !== undefined
  }

  get trouble(): RpcError | undefined {
    return this.#keeper.trouble
  }

  get draining(): boolean {
    return this.#draining
  }

  async update(instances: readonly Instance[]): Promise<void> {
    if (this.#closing !== undefined) throw closed()
    this.instances = checked(instances)
    await this.#keeper.changed()
  }

  async drain(): Promise<void> {
    if (this.#closing !== undefined) throw closed()
    this.#draining = true
    await this.#keeper.changed()
  }

  close(): Promise<void> {
    this.#closing ??= this.#keeper.remove(this)
    this.#ready.reject(closed())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The registry has it. */
  confirm(instances: readonly Instance[]): void {
    this.accepted = instances
    this.#ready.resolve()
  }

  /** The registry does not take it as things are, and goes on being asked. */
  complain(reason: RpcError): void {
    this.#ready.reject(reason)
  }

  /** The registry will never take it. It goes back to what was taken before, if anything was. */
  refuse(reason: RpcError): void {
    this.instances = this.accepted
    if (this.accepted === undefined) this.#ready.reject(reason)
  }
}

function closed(): RpcError {
  return new RpcError('cancelled', 'the registration was closed')
}

/** Held to the registry's own rules, so that one server's mistake does not spoil the lease of all. */
function checked(instances: readonly Instance[]): readonly Instance[] {
  return instances.map((instance, i) => decodeInstance(encodeInstance(instance), `instances[${i}]`))
}
