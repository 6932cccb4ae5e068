import { checkKeys } from '../../core/check.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { formatHostPort } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { isInternalName } from '../../core/names.ts'
import { type LabServer, labRegistryService } from '../api/lab-registry.ts'
import { openLine, type RegistryLine } from '../call-registry.ts'
import type { Query } from '../resolver.ts'
import type { DiscoveryRoom, RegistrarFactory, ResolverFactory } from '../source.ts'
import { createBeatingRegistrar } from './beating-registrar.ts'
import type { Entry, Telling } from './dialect.ts'
import { lacksEndpoint, tcpAddresses } from './endpoints.ts'
import { beat, discover, readLabServer, register } from './lab-tcp-exchange.ts'
import { type OlderRegistryOptions, type Periods, periodNames, resolvePeriods } from './options.ts'
import { createPollingResolver } from './polling-resolver.ts'
import { createEntryReader } from './read-entries.ts'
import { type OlderTarget, parseOlderTarget } from './target.ts'

/** The document names no periods; these are those of the other registry of the lab. */
const defaultPeriods: Periods = { heartbeatMs: 5_000, pollMs: 3_000, doubtMs: 30_000 }
const protocol = 'lab-protobuf'
/** For so many names one server is registered, with a request for each; a registry of ours takes no more. */
const maxNames = 1_000
const schemes = ['lab-registry+tcp'] as const

/**
 * Looks at `lab-registry+tcp://host:port[?pollMs=3000]`. It is asked service by service; where a call names no service, for
 * its method.
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function createLabTcpResolvers(options: OlderRegistryOptions = {}): ResolverFactory {
  checkOptions(options)
  return {
    schemes,
    create(text, room) {
      const { target, periods } = resolve(text, options)
      const line = open(target, room)
      const read = createEntryReader(room, text)
      const find = async (name: string | undefined, signal: AbortSignal) => {
        if (name === undefined) throw nothingNamed()
        const found = await discover(line, name, signal)
        return read(found, (server) => readLabServer(server, protocol, target.hosts[0]))
      }
      return createPollingResolver({
        room,
        target: text,
        keyOf: (query) => nameOf(query) ?? '',
        asking: (query) => ({ periods, ask: (signal) => find(nameOf(query), signal) }),
        close: () => line.close(),
      })
    },
  }
}

/**
 * Announces at `lab-registry+tcp://host:port[?heartbeatMs=5000]`.
 * @throws RpcError `invalid_argument` for options that make no sense.
 */
export function createLabTcpRegistrars(options: OlderRegistryOptions = {}): RegistrarFactory {
  checkOptions(options)
  return {
    schemes,
    create(text, room) {
      const { target, periods } = resolve(text, options)
      const line = open(target, room)
      const { heartbeatMs } = periods
      const telling = createTelling(line, target)
      return createBeatingRegistrar({ room, target: text, telling, heartbeatMs, close: () => line.close() })
    },
  }
}

/** A server, and all that it is registered for. */
interface ServerEntry extends Entry {
  readonly server: LabServer
  readonly names: readonly string[]
}

// There is no way to take a server back.
function createTelling(line: RegistryLine, target: OlderTarget): Telling<ServerEntry> {
  return {
    entries: (instance) => entriesOf(instance, target),
    async register({ server, names }, signal) {
      for (const service of names) await register(line, { service, ...server }, signal)
    },
    heartbeat: ({ server }, signal) => beat(line, server, signal),
  }
}

function entriesOf(instance: Instance, target: OlderTarget): ServerEntry[] {
  const addresses = tcpAddresses(instance, protocol)
  if (addresses.length === 0) throw lacksEndpoint(instance, target.text, [protocol])
  const names = namesOf(instance)
  return addresses.map(({ host, port }) => {
    const key = formatHostPort(host, port)
    return { key, content: `${key} ${names.join(' ')}`, server: { host, port }, names }
  })
}

/** A peer looks for what it calls: a method, alone or with its service. Clients of ours look for the service. */
function namesOf({ services }: Instance): readonly string[] {
  const offered = services.filter(({ name }) => !isInternalName(name))
  const names = offered.flatMap(({ name, methods = [] }) => [
    ...methods,
    name,
    ...methods.map((method) => `${name}.${method}`),
  ])
  return [...new Set(names)].slice(0, maxNames)
}

/** What the registry is asked for; undefined where a query is for everything. */
function nameOf({ service, method }: Query): string | undefined {
  return service === '' ? method : service
}

function nothingNamed(): RpcError {
  const message = 'this registry is asked service by service, and no service or method is named'
  return new RpcError('unimplemented', message)
}

function open({ hosts }: OlderTarget, room: DiscoveryRoom): RegistryLine {
  const endpoints = hosts.map(({ host, port }): Endpoint => {
    return { protocol, address: { transport: 'tcp', host, port } }
  })
  return openLine(endpoints, room, labRegistryService)
}

function checkOptions(options: OlderRegistryOptions): void {
  checkKeys('option', options, new Set(periodNames))
  resolvePeriods(defaultPeriods, options)
}

function resolve(text: string, options: OlderRegistryOptions): { target: OlderTarget; periods: Periods } {
  const example = 'lab-registry+tcp://127.0.0.1:54321'
  const target = parseOlderTarget(text, { example, hasPath: false, options: periodNames })
  return { target, periods: resolvePeriods(defaultPeriods, options, target) }
}
