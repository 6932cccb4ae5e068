import type { Call } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import { Metadata } from '../core/metadata.ts'

// What ties a span to its trace, by the W3C Trace Context recommendation.
const traceNames = ['traceparent', 'tracestate'] as const

/**
 * The calls made inside of each call that is being handled, so that they can be cancelled with it. A handler that
 * lives long and makes many calls holds only those in flight: each leaves when it ends.
 */
export class Inheritance {
  readonly #children = new WeakMap<Call, Set<Call>>()

  /** Cancels the child when its parent is cancelled. */
  adopt(parent: Call, child: Call): void {
    const children = this.#children.get(parent) ?? this.#follow(parent)
    children.add(child)
    child.onEnd(() => children.delete(child))
  }

  #follow(parent: Call): Set<Call> {
    const children = new Set<Call>()
    this.#children.set(parent, children)
    parent.onCancel((reason) => {
      for (const child of children) child.cancel(inherited(parent, child.name, reason))
    })
    return children
  }
}

/** Why a call is cancelled whose maker was. */
export function inherited(parent: Call, name: string, reason: RpcError): RpcError {
  const message = `${name}: ${parent.name}, which made this call, was cancelled: ${reason.message}`
  const code = reason.code === 'deadline_exceeded' ? 'deadline_exceeded' : 'cancelled'
  return new RpcError(code, message, { cause: reason })
}

/**
 * What a call says beside its arguments: the trace of the call that makes it, what the client forwards of that one
 * (only while it runs), and what was given for this call, which wins. Each call has its own: a layer may add to it.
 */
export function metadataFor(
  given: Readonly<Record<string, string>> | undefined,
  parent: Call | undefined,
  forward: readonly string[],
): Metadata | undefined {
  const inherited = parent?.givenMetadata
  if (given === undefined && inherited === undefined) return undefined
  const metadata = new Metadata()
  if (inherited !== undefined && parent !== undefined) {
    for (const name of traceNames) copy(inherited, metadata, name)
    if (!parent.ended) for (const name of forward) copy(inherited, metadata, name)
  }
  if (given !== undefined) for (const [name, value] of Object.entries(given)) metadata.set(name, value)
  return metadata.size === 0 ? undefined : metadata
}

function copy(from: Metadata, to: Metadata, name: string): void {
  const value = from.get(name)
  if (value !== undefined) to.set(name, value)
}
