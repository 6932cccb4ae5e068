import type { Instance } from '../../core/instance.ts'
import { RpcError } from '../../core/error.ts'
import { invalid, readField, readList, readNumber, readOptionalText, readText } from './guards.ts'
import { decodeInstance, readIncarnation } from './instance-data.ts'
import { maxInstancesPerLease, maxLeasesPerRenewal, maxNameLength } from './limits.ts'
import type { GoneReason, LostLease } from './messages.ts'

// What a registry answers, checked: a broken one must not break those who ask it. What cannot be read is `data_loss`,
// never `invalid_argument`, which would blame the question.

/** What a list or a part of a feed says, decoded. */
export type FeedNews =
  | {
      readonly kind: 'snapshot'
      readonly revision: string
      readonly instances: readonly Instance[]
      readonly more: boolean
    }
  | {
      readonly kind: 'delta'
      readonly revision: string
      readonly changes: readonly FeedChange[]
      readonly more: boolean
    }
  | { readonly kind: 'bookmark'; readonly revision: string }

export type FeedChange =
  | { readonly type: 'up'; readonly instance: Instance }
  | {
      readonly type: 'gone'
      readonly id: string
      readonly incarnation: number
      readonly reason: GoneReason | undefined
    }

const maxItems = 1_000_000

/** One item of a feed; undefined for a kind that only a newer registry knows. @throws RpcError `data_loss`. */
export function readFeedItem(value: unknown): FeedNews | undefined {
  return reading('an item of the watch', () => {
    const kind = readField(value, 'kind', 'item')
    if (kind !== 'snapshot' && kind !== 'delta' && kind !== 'bookmark') return undefined
    const revision = readText(readField(value, 'revision', 'item'), 'revision', maxNameLength)
    const more = readField(value, 'more', 'item') === true
    switch (kind) {
      case 'bookmark':
        return { kind, revision }
      case 'snapshot':
        return { kind, revision, more, instances: readInstances(value) }
      case 'delta': {
        const list = readList(readField(value, 'changes', 'item'), 'changes', maxItems)
        return { kind, revision, more, changes: list.map((change, i) => readChange(change, `changes[${i}]`)) }
      }
    }
  })
}

/** One page of a list. @throws RpcError `data_loss`. */
export function readPage(value: unknown): {
  revision: string
  instances: readonly Instance[]
  next: number | undefined
} {
  return reading('a list', () => {
    const next = readField(value, 'next', 'page')
    return {
      revision: readText(readField(value, 'revision', 'page'), 'revision', maxNameLength),
      instances: readInstances(value),
      next:
        next === undefined || next === null
          ? undefined
          : readNumber(next, 'next', { min: 1, max: Number.MAX_SAFE_INTEGER, whole: true }),
    }
  })
}

/** What `renew` says of leases that are not as they should be. @throws RpcError `data_loss`. */
export function readLost(reply: unknown): LostLease[] {
  return reading('the answer to a renewal', () => {
    const lost = readList(readField(reply, 'lost', 'reply') ?? [], 'lost', maxLeasesPerRenewal)
    return lost.map((entry) => {
      const id = readText(readField(entry, 'id', 'lost'), 'lost.id', maxNameLength)
      const reason = readField(entry, 'reason', 'lost') === 'superseded' ? 'superseded' : 'unknown'
      const taken = readField(entry, 'instances', 'lost')
      if (taken === undefined || taken === null) return { id, reason }
      const ids = readList(taken, 'lost.instances', maxInstancesPerLease)
      return { id, reason, instances: ids.map((one) => readText(one, 'lost.instances[]', maxNameLength)) }
    })
  })
}

/** From where the registry sees us; undefined where it does not say. @throws RpcError `data_loss`. */
export function readOrigin(reply: unknown): string | undefined {
  return reading('an origin', () => readOptionalText(readField(reply, 'host', 'reply'), 'host', 255))
}

/** Who is in the way of a registration, as far as the refusal says. */
export function readFence(error: RpcError): { id: string | undefined; held: number | undefined } {
  try {
    const id = readField(error.details, 'instance', 'details')
    return {
      id: id === undefined ? undefined : readText(id, 'instance', maxNameLength),
      held: readIncarnation(readField(error.details, 'incarnation', 'details'), 'incarnation'),
    }
  } catch {
    return { id: undefined, held: undefined }
  }
}

function readInstances(value: unknown): readonly Instance[] {
  const list = readList(readField(value, 'instances', 'item'), 'instances', maxItems)
  return list.map((instance, i) => decodeInstance(instance, `instances[${i}]`))
}

function readChange(value: unknown, path: string): FeedChange {
  const type = readField(value, 'type', path)
  if (type === 'up')
    return { type, instance: decodeInstance(readField(value, 'instance', path), `${path}.instance`) }
  if (type !== 'gone') throw invalid(`${path}.type`, `should be 'up' or 'gone'`)
  const reason = readField(value, 'reason', path)
  return {
    type,
    id: readText(readField(value, 'id', path), `${path}.id`, maxNameLength),
    incarnation: readIncarnation(readField(value, 'incarnation', path), `${path}.incarnation`),
    reason: typeof reason === 'string' ? (reason as GoneReason) : undefined,
  }
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new RpcError(
      'data_loss',
      `the registry sent ${what} that cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}
