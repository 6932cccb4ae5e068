import { formatHostPort } from '../core/endpoint.ts'
import { formatEndpoint, nodeParts, parseEndpoint } from '../node.ts'
import { checkKnown } from './known-names.ts'
import { type PlaceFlags, placeOf } from './place-flags.ts'
import type { ResolvedSettings } from './settings/resolve.ts'
import { textsOf } from './settings/typed.ts'
import { fromUser, UsageError } from './usage-error.ts'

/** Where a command asks: at servers, or through a registry. */
export interface Target {
  readonly kind: 'at' | 'registry'
  readonly targets: readonly string[]
  /** The only protocol that is to be spoken; undefined for whichever is best. Of servers it is in their targets. */
  readonly protocol: string | undefined
  /** As it would be typed again: `--at tcp://127.0.0.1:8089`. */
  readonly typed: string
}

/**
 * Where to ask. If both a server and a registry are set, `--mode` says which is meant, else the one that was said more
 * directly counts: a flag before the environment.
 * @throws UsageError where neither is set, or both alike; for a flag that makes no sense.
 */
export function targetOf(settings: ResolvedSettings, flags: PlaceFlags = {}): Target {
  checkProtocol(flags.protocol)
  return kindOf(settings, flags) === 'at' ? serverTarget(settings, flags) : registryTarget(settings, flags)
}

/** The registries that are set, each as a whole target. */
export function registriesOf(settings: ResolvedSettings): readonly string[] {
  return textsOf(settings, 'registry').map((text) => withScheme(text, 'registry'))
}

function kindOf(settings: ResolvedSettings, flags: PlaceFlags): Target['kind'] {
  if (flags.mode !== undefined) return flags.mode === 'server' ? 'at' : 'registry'
  const server = placeOf(flags) === undefined ? rankOf(settings, 'at') : typedRank
  const registry = rankOf(settings, 'registry')
  if (server === undefined && registry === undefined) throw nowhere(settings)
  if (server !== registry) return (server ?? -1) > (registry ?? -1) ? 'at' : 'registry'
  throw new UsageError(
    'a server and a registry are both given, and only one can be meant',
    '--mode server or --mode registry says which; a registry finds servers by their services',
  )
}

function serverTarget(settings: ResolvedSettings, flags: PlaceFlags): Target {
  const place = placeOf(flags)
  if (place !== undefined && rankOf(settings, 'at') === typedRank)
    throw new UsageError('--at and -i, -p both name a server, and only one can be meant')
  const { host = '127.0.0.1', port = 8089 } = place ?? {}
  const given = place === undefined ? textsOf(settings, 'at') : [formatHostPort(host, port)]
  if (given.length === 0) {
    throw new UsageError(
      'which server? neither --at nor -i and -p are given',
      'for example: -i 127.0.0.1 -p 8089',
    )
  }
  const targets = given.map((text) => withProtocol(withScheme(text, 'tcp'), flags.protocol))
  const typed = targets.map((target) => `--at ${target}`).join(' ')
  return { kind: 'at', targets, protocol: flags.protocol, typed }
}

/** The registry to ask; several addresses are those of one. */
function registryTarget(settings: ResolvedSettings, flags: PlaceFlags): Target {
  const place = placeOf(flags)
  if (place !== undefined && rankOf(settings, 'registry') === typedRank)
    throw new UsageError('--registry and -i, -p both name a registry, and only one can be meant')
  const set = registriesOf(settings)
  const [target, ...more] = place === undefined ? set : [movedTo(place, set)]
  if (target === undefined) {
    throw new UsageError(
      'which registry? neither --registry nor -i and -p are given',
      'for example: --registry registry://127.0.0.1:9999, or set FARCALL_REGISTRY',
    )
  }
  if (more.length > 0) {
    throw new UsageError(
      'only one registry can be asked',
      'several addresses of one are written as registry://host:port,host:port',
    )
  }
  const only = flags.protocol === undefined ? '' : ` --protocol ${flags.protocol}`
  return {
    kind: 'registry',
    targets: [target],
    protocol: flags.protocol,
    typed: `--registry ${target}${only}`,
  }
}

// A flag's.
const typedRank = 3

function rankOf(settings: ResolvedSettings, name: 'at' | 'registry'): number | undefined {
  return textsOf(settings, name).length > 0 ? settings.get(name)?.rank : undefined
}

function nowhere(settings: ResolvedSettings): UsageError {
  // Some commands know no servers.
  return settings.get('at') === undefined
    ? new UsageError('which registry?', 'give --registry registry://127.0.0.1:9999, or set FARCALL_REGISTRY')
    : new UsageError(
        'which server? neither --at nor --registry is given',
        'give --at tcp://127.0.0.1:8089 (or -i and -p), or --registry registry://127.0.0.1:9999, or set FARCALL_REGISTRY',
      )
}

/** A registry at another place: of the kind that is set, where one is. */
function movedTo({ host, port }: { host?: string; port?: number }, set: readonly string[]): string {
  const [, scheme = 'registry', setHost, setPort, path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:(\[[^\]]*\]|[^:/,]*):(\d+))?(\/.*)?$/.exec(set[0] ?? '') ?? []
  const given = host?.includes(':') === true ? `[${host}]` : host
  return `${scheme}://${given ?? setHost ?? '127.0.0.1'}:${port ?? setPort ?? 9999}${path}`
}

// `127.0.0.1:9999` is what people type, and it is clear what is meant; so is `tcp@127.0.0.1:9999` of the older clients.
function withScheme(text: string, scheme: string): string {
  return /^[a-z][a-z0-9+.-]*:\D/i.test(text) || text.includes('@') ? text : `${scheme}://${text}`
}

function withProtocol(target: string, protocol: string | undefined): string {
  if (protocol === undefined) return target
  const endpoint = fromUser(() => parseEndpoint(target))
  if (endpoint.protocol === 'farcall' || endpoint.protocol === protocol)
    return formatEndpoint({ ...endpoint, protocol })
  throw new UsageError(
    `${target} is to be spoken to in ${endpoint.protocol}, and --protocol says ${protocol}`,
    'leave one of them out',
  )
}

function checkProtocol(name: string | undefined): void {
  if (name === undefined) return
  const known = nodeParts.protocols.map((protocol) => protocol.name)
  checkKnown('protocol', name, known)
}
