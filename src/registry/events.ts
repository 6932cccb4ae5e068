import type { Instance } from '../core/instance.ts'
import type { RpcError } from '../core/error.ts'

/** Something that happened in a registry, for its log. */
export type RegistryEvent =
  | {
      readonly type: 'registered' | 'updated' | 'drained'
      readonly lease: string
      readonly instance: Instance
    }
  | { readonly type: 'renewed'; readonly lease: string; readonly instances: number }
  | {
      readonly type: 'unregistered' | 'expired' | 'superseded' | 'suspected'
      readonly lease: string
      readonly instance: Instance
      /** How long ago it was heard of for the last time. */
      readonly lastSeenMs: number
    }
  | { readonly type: 'preserving'; readonly silent: number; readonly known: number }
  | { readonly type: 'paused'; readonly latenessMs: number }
  | { readonly type: 'refused'; readonly lease: string; readonly error: RpcError }
