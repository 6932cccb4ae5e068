import { isEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { type ListedEndpoint, parseListedEndpoint } from '../core/listed-endpoint.ts'
import { listNames } from '../core/names.ts'
import type { Resolver } from '../discovery/resolver.ts'
import type { DiscoveryRoom, ResolverFactory } from '../discovery/source.ts'

/** A resolver whose list can be replaced while it is in use, as that of `static:` can. */
interface ReplaceableResolver extends Resolver {
  replace(endpoints: readonly ListedEndpoint[]): void
}

/** Where a client looks for servers. */
export interface Source {
  /** As the user wrote it, for messages; another once a list was replaced. */
  name: string
  readonly resolver: Resolver & Partial<AsyncDisposable>
}

/**
 * Makes the resolver for what a client connects to: endpoints (`tcp://…`, `tls://…`, `unix:…`, `memory:…`, each with
 * `?weight=…` where it is not 1), which are a static list, or one target of a scheme that a factory knows (`registry://…`).
 * @throws RpcError `invalid_argument` for a scheme that nobody knows, with those that are known.
 */
export function openSource(
  targets: readonly string[],
  factories: readonly ResolverFactory[],
  room: DiscoveryRoom,
): Source {
  const [first] = targets
  if (first === undefined)
    throw new RpcError('invalid_argument', 'connect needs a target; for example tcp://127.0.0.1:8089')
  const name = targets.join(', ')
  // `lab-registry+tcp://` looks like a protocol over a transport, and is a registry.
  const looked = targets.find((target) => factories.some(({ schemes }) => schemes.includes(schemeOf(target))))
  if (looked === undefined && targets.every(isEndpoint)) {
    for (const target of targets) parseListedEndpoint(target)
    return {
      name,
      resolver: factoryFor('static', factories, first).create(`static:${targets.join(',')}`, room),
    }
  }
  const scheme = schemeOf(looked ?? first)
  const factory = factoryFor(scheme, factories, first)
  if (targets.length > 1) {
    throw new RpcError(
      'invalid_argument',
      `${name}: only endpoints can be listed; several addresses of one registry are written as ${scheme}://host:port,host:port`,
    )
  }
  return { name, resolver: factory.create(first, room) }
}

/**
 * Replaces the list of a static source.
 * @throws RpcError `failed_precondition` where the source is not a list; `invalid_argument` for what is no endpoint.
 */
export function replaceTargets(source: Source, targets: readonly string[]): void {
  const { resolver, name } = source
  if (!isReplaceable(resolver)) {
    throw new RpcError(
      'failed_precondition',
      `the client finds its servers through ${name}: there is no list to replace`,
    )
  }
  resolver.replace(targets.map(parseListedEndpoint))
  source.name = targets.length === 0 ? 'an empty list' : targets.join(', ')
}

function schemeOf(target: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(target)?.[1] ?? ''
}

function isReplaceable(resolver: Resolver): resolver is ReplaceableResolver {
  return typeof (resolver as Partial<ReplaceableResolver>).replace === 'function'
}

function factoryFor(scheme: string, factories: readonly ResolverFactory[], target: string): ResolverFactory {
  const found = factories.find(({ schemes }) => schemes.includes(scheme))
  if (found !== undefined) return found
  const known = ['tcp', 'tls', 'unix', 'memory', ...factories.flatMap(({ schemes }) => schemes)]
  const form = 'an endpoint is written as tcp://127.0.0.1:8089, a registry as registry://127.0.0.1:9999'
  throw new RpcError(
    'invalid_argument',
    `'${target.slice(0, 200)}' is no target: its scheme is not known (known: ${listNames(known, 30)}); ${form}`,
  )
}
