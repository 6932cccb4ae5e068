import { checkKeys } from '../../core/check.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import type { DiscoveryRoom, RegistrarFactory, ResolverFactory } from '../source.ts'
import { protocolOf } from '../api/lab-protocol.ts'
import { openHttp } from './ask-http.ts'
import { createBeatingRegistrar } from './beating-registrar.ts'
import type { Entry, Telling } from './dialect.ts'
import { lacksEndpoint } from './endpoints.ts'
import { findMetas, registerMeta, unregisterMeta } from './lab-http-exchange.ts'
import { type InstanceMeta, readMeta, writeMetas } from './lab-meta.ts'
import { mergeById } from './merge-by-id.ts'
import { type OlderRegistryOptions, type Periods, periodNames, resolvePeriods, where } from './options.ts'
import { createPollingResolver } from './polling-resolver.ts'
import { createEntryReader } from './read-entries.ts'
import { type OlderTarget, parseOlderTarget } from './target.ts'

/** How the HTTP registry of the JSON lab (`lab-registry+http://`) is used. */
export interface LabHttpOptions extends OlderRegistryOptions {
  /**
   * Under which of its protocols servers are registered and looked for. Default: `farcall` and `json`, which is lab-json;
   * of a server's own those that it speaks. One that is named here has to be spoken.
   */
  readonly proto?: string | readonly string[]
}

/** Heartbeats and polling are the documents'. Who comes back does so within two heartbeats; doubt lasts longer. */
const defaultPeriods: Periods = { heartbeatMs: 5_000, pollMs: 3_000, doubtMs: 30_000 }
const defaultProtos = ['farcall', 'json'] as const
const schemes = ['lab-registry+http'] as const
const optionNames = [...periodNames, 'proto'] as const

/**
 * Looks at `lab-registry+http://host:port[?pollMs=3000&proto=json]`.
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function createLabHttpResolvers(options: LabHttpOptions = {}): ResolverFactory {
  checkOptions(options)
  return {
    schemes,
    create(text, room) {
      const { target, periods, protos = defaultProtos } = resolve(text, options)
      const line = openHttp(target, room)
      const read = createEntryReader(room, text)
      const ask = async (signal: AbortSignal) => {
        const found = await Promise.all(protos.map((proto) => findMetas(line, proto, signal)))
        return mergeById(read(found.flat(), ({ value, ...asked }) => readMeta(value, asked)))
      }
      return createPollingResolver({ room, target: text, keyOf: () => '', asking: () => ({ periods, ask }) })
    },
  }
}

/**
 * Announces at `lab-registry+http://host:port[?heartbeatMs=5000&proto=json]`.
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function createLabHttpRegistrars(options: LabHttpOptions = {}): RegistrarFactory {
  checkOptions(options)
  return {
    schemes,
    create(text, room) {
      const resolved = resolve(text, options)
      const { heartbeatMs } = resolved.periods
      return createBeatingRegistrar({
        room,
        target: text,
        telling: createTelling(resolved, room),
        heartbeatMs,
      })
    },
  }
}

interface MetaEntry extends Entry {
  readonly meta: InstanceMeta
}

function createTelling({ target, protos }: Resolved, room: DiscoveryRoom): Telling<MetaEntry> {
  const line = openHttp(target, room)
  return {
    entries: (instance) => entriesOf(instance, target, protos),
    async register({ meta }, signal) {
      // What the registry has of an address it keeps as it came first, also from a process that is long gone.
      await unregisterMeta(line, meta, signal)
      await registerMeta(line, meta, signal)
    },
    async heartbeat({ meta }, signal) {
      await registerMeta(line, meta, signal)
      return true
    },
    unregister: ({ meta }, signal) => unregisterMeta(line, meta, signal),
  }
}

function entriesOf(instance: Instance, target: OlderTarget, protos: Resolved['protos']): MetaEntry[] {
  const metas = writeMetas(instance, protos ?? defaultProtos)
  const lacking = protos?.find((proto) => metas.every(({ protocol }) => protocol !== proto))
  if (lacking !== undefined) throw lacksEndpoint(instance, target.text, [protocolOf(lacking)])
  if (metas.length === 0) throw lacksEndpoint(instance, target.text, defaultProtos.map(protocolOf))
  return metas.map((meta) => {
    const { protocol, host, port, parameters } = meta
    // A weight that follows the load of a process changes all the time. It goes with the heartbeats, for registries that
    // take it from there: to register anew is to be away for a moment.
    const content = JSON.stringify({ ...parameters, weight: undefined })
    return { key: `${protocol} at ${host}:${port}`, content, meta }
  })
}

interface Resolved {
  readonly target: OlderTarget
  readonly periods: Periods
  /** Undefined where the user has named none. */
  readonly protos: readonly string[] | undefined
}

function checkOptions(options: LabHttpOptions): void {
  checkKeys('option', options, new Set(optionNames))
  resolvePeriods(defaultPeriods, options)
  resolveProtos(options.proto)
}

function resolve(text: string, options: LabHttpOptions): Resolved {
  const example = 'lab-registry+http://127.0.0.1:8081'
  const target = parseOlderTarget(text, { example, hasPath: false, options: optionNames })
  return {
    target,
    periods: resolvePeriods(defaultPeriods, options, target),
    protos: resolveProtos(target.options.get('proto') ?? options.proto, target),
  }
}

function resolveProtos(given: LabHttpOptions['proto'], target?: OlderTarget): readonly string[] | undefined {
  if (given === undefined) return undefined
  const names = typeof given === 'string' ? given.split(',') : given
  if (names.length > 0 && names.length <= 16 && names.every((name) => /^[a-z][a-z0-9-]*$/.test(name)))
    return [...new Set(names)]
  const message = `${where('proto', target)} should be names such as json,farcall, got ${JSON.stringify(given)}`
  throw new RpcError('invalid_argument', message)
}
