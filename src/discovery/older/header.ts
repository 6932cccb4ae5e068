import { checkKeys } from '../../core/check.ts'
import { formatHostPort, parseEndpoint } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import type { DiscoveryRoom, RegistrarFactory, ResolverFactory } from '../source.ts'
import { type HttpAnswer, openHttp } from './ask-http.ts'
import { createBeatingRegistrar } from './beating-registrar.ts'
import type { Entry, Telling } from './dialect.ts'
import { bareInstance, dialableHost, lacksEndpoint, tcpAddresses } from './endpoints.ts'
import { mergeById } from './merge-by-id.ts'
import { type OlderRegistryOptions, type Periods, periodNames, resolvePeriods } from './options.ts'
import { createPollingResolver } from './polling-resolver.ts'
import { createEntryReader, maxEntries } from './read-entries.ts'
import { type HostPort, type OlderTarget, parseOlderTarget } from './target.ts'

/**
 * The documents': a server says that it lives every 4 min, and a registry that was restarted does not know it for as long;
 * so doubt lasts as long as such a registry would keep a server.
 */
const defaultPeriods: Periods = { heartbeatMs: 240_000, pollMs: 10_000, doubtMs: 300_000 }
const defaultPath = '/_geerpc_/registry'

/** What differs between the two systems: the name of a header, and the protocol behind CONNECT. */
interface Family {
  readonly header: string
  readonly http: string
}

const families: Readonly<Record<string, Family>> = {
  'geerpc-registry+http': { header: 'X-Geerpc-Server', http: 'geerpc-http' },
  'myrpc-registry+http': { header: 'X-Myrpc-Server', http: 'myrpc-http' },
}
const schemes = Object.keys(families)

/**
 * Looks at `geerpc-registry+http://host:port[/path][?pollMs=10000]`, and the same with `myrpc-registry`.
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function createHeaderResolvers(options: OlderRegistryOptions = {}): ResolverFactory {
  checkOptions(options)
  return {
    schemes,
    create(text, room) {
      const { target, family, path, periods } = resolve(text, options)
      const line = openHttp(target, room)
      const read = createEntryReader(room, text)
      const ask = async (signal: AbortSignal) => {
        const answer = await line.ask({ method: 'GET', path }, signal)
        const servers = readServers(answer, family)
        return mergeById(read(servers, (server) => readServer(server, family, answer.from)))
      }
      return createPollingResolver({ room, target: text, keyOf: () => '', asking: () => ({ periods, ask }) })
    },
  }
}

/**
 * Announces at `geerpc-registry+http://host:port[/path][?heartbeatMs=240000]`, and the same with `myrpc-registry`.
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function createHeaderRegistrars(options: OlderRegistryOptions = {}): RegistrarFactory {
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

// There is no way to take a server back.
function createTelling({ target, family, path }: Resolved, room: DiscoveryRoom): Telling<Entry> {
  const line = openHttp(target, room)
  const post = async ({ content }: Entry, signal: AbortSignal) => {
    await line.ask({ method: 'POST', path, headers: { [family.header]: content } }, signal)
  }
  return {
    entries: (instance) => entriesOf(instance, target),
    register: post,
    async heartbeat(entry, signal) {
      await post(entry, signal)
      return true
    },
  }
}

function entriesOf(instance: Instance, target: OlderTarget): Entry[] {
  const tcp = tcpAddresses(instance, 'geerpc').map(({ host, port }) => `tcp@${formatHostPort(host, port)}`)
  const unix = instance.endpoints.flatMap(({ protocol, address }) =>
    protocol === 'geerpc' && address.transport === 'unix' ? [`unix@${address.path}`] : [],
  )
  // One server is one address: who is named twice gets two shares of the calls.
  const spelled = tcp.length > 0 ? tcp : unix
  if (spelled.length === 0) throw lacksEndpoint(instance, target.text, ['geerpc'])
  return spelled.map((text) => ({ key: text, content: text }))
}

function readServers({ header }: HttpAnswer, family: Family): string[] {
  const name = `${family.header}s`
  const list = header(name)
  // It is there also where nobody is registered.
  if (list === null) {
    const others = Object.entries(families).filter(([, other]) => header(`${other.header}s`) !== null)
    const hint = others.map(([scheme]) => `; it has that of ${scheme}://`).join('')
    throw new RpcError('data_loss', `the registry answered without the header ${name}${hint}`)
  }
  const servers = list
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (servers.length <= maxEntries) return servers
  throw new RpcError(
    'resource_exhausted',
    `the registry names ${servers.length} servers, at most ${maxEntries} are read`,
  )
}

/** Reads `tcp@host:port`, `http@host:port`, `unix@/path`. @throws RpcError `invalid_argument` */
function readServer(text: string, family: Family, registry: HostPort): Instance {
  // Only this spelling is one of theirs, whatever else an endpoint may look like.
  if (!/^(tcp|http|unix)@/.test(text))
    throw new RpcError('invalid_argument', `wrong format, expect protocol@addr`)
  const { protocol, address } = parseEndpoint(text.replace(/^(tcp|http)@(?=:\d)/, '$1@0.0.0.0'))
  const spoken = protocol === 'geerpc-http' ? family.http : protocol
  if (!('host' in address)) return bareInstance({ protocol: spoken, address })
  const host = dialableHost(address.host, registry)
  return bareInstance({ protocol: spoken, address: { ...address, host } })
}

interface Resolved {
  readonly target: OlderTarget
  readonly family: Family
  readonly path: string
  readonly periods: Periods
}

function checkOptions(options: OlderRegistryOptions): void {
  checkKeys('option', options, new Set(periodNames))
  resolvePeriods(defaultPeriods, options)
}

function resolve(text: string, options: OlderRegistryOptions): Resolved {
  const scheme = schemes.find((one) => text.startsWith(`${one}:`)) ?? 'geerpc-registry+http'
  const example = `${scheme}://127.0.0.1:9999${defaultPath}`
  const target = parseOlderTarget(text, { example, hasPath: true, options: periodNames })
  return {
    target,
    family: families[scheme] as Family,
    path: target.path || defaultPath,
    periods: resolvePeriods(defaultPeriods, options, target),
  }
}
