import { RpcError } from '../../core/error.ts'

/** The registries of the older systems that a registry answers as, beside its own protocol. */
export interface FacesOptions {
  /** That of the Python systems with JSON: `/myRegistry/register` and so on. `false` leaves it out. */
  readonly json?: JsonFaceOptions | false | undefined
  /** That of the Go systems: `X-Geerpc-Server` and `X-Myrpc-Server`. `false` leaves it out. */
  readonly header?: HeaderFaceOptions | false | undefined
  /** That of the Python system with protobuf: `register`, `discover`, `heartbeat`. `false` leaves it out. */
  readonly protobuf?: FaceOptions | false | undefined
  /**
   * From which addresses peers may write through these faces, which know no tokens: ranges such as `192.0.2.0/24`, single
   * addresses, or `private` for this machine and private networks. Default `['private']`. Reading is open, as the registry
   * is.
   */
  readonly allow?: readonly string[] | undefined
  /**
   * What instances offer whose registrations cannot say it: names of services by `host:port`, or by `host`. Default: such
   * an instance is asked for every service, until it answers that it lacks it.
   */
  readonly services?: Readonly<Record<string, readonly string[]>> | undefined
}

/** Options that each of the faces has. */
export interface FaceOptions {
  /**
   * How long an instance stays without being heard of; 0: until it is unregistered. Default as in the older systems:
   * 10 s for JSON, 5 min for headers, 15 s for protobuf.
   */
  readonly leaseMs?: number | undefined
}

export interface JsonFaceOptions extends FaceOptions {
  /** What stands before `/register`, `/unregister` and `/findAllInstances`. Default `/myRegistry`. */
  readonly path?: string | undefined
}

export interface HeaderFaceOptions extends FaceOptions {
  /** Default `/_geerpc_/registry` and `/_myrpc_/registry`. */
  readonly paths?: readonly string[] | undefined
}

/** {@link FacesOptions}, complete and checked. */
export interface ResolvedFacesOptions {
  readonly json: { readonly leaseMs: number; readonly path: string } | undefined
  readonly header: { readonly leaseMs: number; readonly paths: readonly string[] } | undefined
  readonly protobuf: { readonly leaseMs: number } | undefined
  readonly allow: readonly string[]
  readonly services: Readonly<Record<string, readonly string[]>>
}

// This machine, and what is private or of one link, in IPv4 and IPv6.
const privateRanges: readonly string[] = Object.freeze([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
])

/**
 * Completes the options with the defaults.
 * @throws RpcError `invalid_argument` for an unknown option, or one whose value makes no sense.
 */
export function resolveFacesOptions(given: FacesOptions = {}): ResolvedFacesOptions {
  known('faces', given, ['json', 'header', 'protobuf', 'allow', 'services'])
  return Object.freeze({
    json: resolveFace('json', given.json, ({ path = '/myRegistry', leaseMs = 10_000 }: JsonFaceOptions) => ({
      leaseMs,
      path: checkPath('faces.json.path', path),
    })),
    header: resolveFace(
      'header',
      given.header,
      ({ paths = ['/_geerpc_/registry', '/_myrpc_/registry'], leaseMs = 300_000 }: HeaderFaceOptions) => ({
        leaseMs,
        paths: texts('faces.header.paths', paths).map((path) => checkPath('faces.header.paths', path)),
      }),
    ),
    protobuf: resolveFace('protobuf', given.protobuf, ({ leaseMs = 15_000 }: FaceOptions) => ({ leaseMs })),
    allow: texts('faces.allow', given.allow ?? ['private']).flatMap((range) =>
      range === 'private' ? privateRanges : [range],
    ),
    services: given.services ?? {},
  })
}

const faceOptions = {
  json: ['leaseMs', 'path'],
  header: ['leaseMs', 'paths'],
  protobuf: ['leaseMs'],
} as const

function resolveFace<Given extends FaceOptions, Resolved extends { readonly leaseMs: number }>(
  name: keyof typeof faceOptions,
  given: Given | false | undefined,
  resolve: (given: Partial<Given>) => Resolved,
): Resolved | undefined {
  if (given === false) return undefined
  known(`faces.${name}`, given ?? {}, faceOptions[name])
  const resolved = resolve(given ?? {})
  const { leaseMs } = resolved
  if (typeof leaseMs === 'number' && leaseMs >= 0 && Number.isFinite(leaseMs)) return Object.freeze(resolved)
  throw wrong(
    `faces.${name}.leaseMs must be a number of milliseconds, or 0 for no end, got ${String(leaseMs)}`,
  )
}

function known(where: string, given: object, names: readonly string[]): void {
  if (typeof given !== 'object' || given === null) throw wrong(`${where} must be an object, or false`)
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw wrong(`unknown option '${unknown}' of ${where}; known: ${names.join(', ')}`)
}

function texts(where: string, given: readonly string[]): readonly string[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given
  throw wrong(`${where} must be a list of texts`)
}

function checkPath(where: string, path: string): string {
  if (typeof path === 'string' && /^(\/[\w.~-]+)+$/.test(path)) return path
  throw wrong(`${where}: '${path}' should begin with / and not end with it, for example /myRegistry`)
}

function wrong(why: string): RpcError {
  return new RpcError('invalid_argument', why)
}
