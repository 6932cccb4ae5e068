import type { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'

/** Announces where a server is, and keeps it announced. */
export interface Registrar {
  /** Never throws for a source that is down: it goes on trying, with jitter, for ever. */
  register(instances: readonly Instance[], options: RegisterOptions): Registration
  /**
   * How this machine is seen from the source: the local host of a connection to it. For a server that listens on all
   * addresses and has to name one. Undefined where it cannot be told; the signal ends the asking.
   */
  localHost?(signal: AbortSignal): Promise<string | undefined>
}

export interface RegisterOptions {
  /** How long the source keeps the instances without hearing from us. Default 15 s; renewed every third of it. */
  readonly ttlMs: number
}

export interface Registration extends AsyncDisposable {
  /** Resolves at the first success; rejects only if the source refuses for good, or it is closed before. */
  readonly ready: Promise<void>
  /** Whether the source has taken what is announced, or something before it. Default: it has once `ready` resolves. */
  readonly taken?: boolean
  /** Why the source cannot be told of us now; it is tried again. Undefined while all is well, or where that is not known. */
  readonly trouble?: RpcError | undefined
  /** Replaces what is announced. */
  update(instances: readonly Instance[]): Promise<void>
  /** Says that the instances take no new calls; they stay registered. */
  drain(): Promise<void>
  /** The source has lost us; it is being registered anew. */
  onLost: (reason: RpcError) => void
  /** Takes the instances back, within a bounded time also where the source is down. Harmless if repeated. */
  close(): Promise<void>
}
