import { parseEndpoint } from '../../core/endpoint.ts'
import type { Instance } from '../../core/instance.ts'
import type { Handler } from '../../core/layer.ts'
import { seededRandom } from '../../core/random.ts'
import { createRecordingLogger } from '../../testing/recording-logger.ts'
import { createVirtualClock, type VirtualClock } from '../../testing/virtual-clock.ts'
import type { DiscoveryHarness, Outage } from '../discovery.suite.ts'
import type { DiscoveryRoom, Fetch, RegistrarFactory, ResolverFactory } from '../source.ts'
import { type FakeRegistry, fakeHeaderRegistry, fakeLabHttp, fakeLabTcp } from './fake-registries.suite.ts'
import {
  createHeaderRegistrars,
  createHeaderResolvers,
  createLabHttpRegistrars,
  createLabHttpResolvers,
  createLabTcpRegistrars,
  createLabTcpResolvers,
} from './index.ts'

/** An older registry, and those who use it. */
export interface OlderHarness<Registry> extends DiscoveryHarness {
  readonly registry: Registry
  readonly log: string[]
  readonly room: DiscoveryRoom
}

/** The registry of the JSON lab. */
export function createLabHttpHarness(
  target = 'lab-registry+http://127.0.0.1:8081?proto=farcall,json-rpc',
): OlderHarness<ReturnType<typeof fakeLabHttp>> {
  const clock = createVirtualClock()
  const registry = fakeLabHttp(clock)
  const factories = { resolvers: createLabHttpResolvers(), registrars: createLabHttpRegistrars() }
  const made = createHarness({ clock, registry, target, ...factories, toRoom: (fetch: Fetch) => ({ fetch }) })
  // A list that was polled a moment ago, and jitter.
  return { ...made, lacks: ['draining', 'changes', 'loss'], soonMs: 3_400, restartMs: 10_000 }
}

/** That of geerpc. */
export function createHeaderHarness(
  target = 'geerpc-registry+http://127.0.0.1:9999/_geerpc_/registry',
): OlderHarness<FakeRegistry<Fetch>> {
  const clock = createVirtualClock()
  const header = target.startsWith('myrpc') ? 'X-Myrpc-Server' : 'X-Geerpc-Server'
  const registry = fakeHeaderRegistry(clock, header)
  const factories = { resolvers: createHeaderResolvers(), registrars: createHeaderRegistrars() }
  const made = createHarness({ clock, registry, target, ...factories, toRoom: (fetch: Fetch) => ({ fetch }) })
  return {
    ...made,
    lacks: ['details', 'draining', 'changes', 'loss'],
    subject: only('geerpc+tcp://10.0.0.5:8089'),
    soonMs: 11_100,
    recoveryMs: 276_000,
    doubtMs: 300_000,
  }
}

/** That of the protobuf lab. */
export function createLabTcpHarness(
  target = 'lab-registry+tcp://127.0.0.1:54321',
): OlderHarness<FakeRegistry<Handler>> {
  const clock = createVirtualClock()
  const registry = fakeLabTcp(clock)
  const factories = { resolvers: createLabTcpResolvers(), registrars: createLabTcpRegistrars() }
  const toRoom = (call: Handler) => ({ reach: () => ({ call, [Symbol.asyncDispose]: async () => {} }) })
  const made = createHarness({ clock, registry, target, ...factories, toRoom })
  return {
    ...made,
    lacks: ['details', 'draining', 'changes'],
    subject: only('lab-protobuf+tcp://10.0.0.5:50000', [{ name: 'Calculator', methods: ['add'] }]),
    query: { service: '', method: 'add' },
    soonMs: 3_400,
    // Long enough for a heartbeat and a poll.
    restartMs: 10_000,
    patienceMs: 5_000,
  }
}

/** An instance of which a registry tells only where it is. */
function only(text: string, services: Instance['services'] = []): Instance {
  return {
    id: text,
    incarnation: 0,
    services,
    endpoints: [parseEndpoint(text)],
    weight: 1,
    zone: undefined,
    metadata: {},
    status: 'up',
  }
}

interface Made<Way, Registry extends FakeRegistry<Way>> {
  readonly clock: VirtualClock
  readonly registry: Registry
  readonly target: string
  readonly resolvers: ResolverFactory
  readonly registrars: RegistrarFactory
  toRoom(way: Way): Partial<DiscoveryRoom>
}

function createHarness<Way, Registry extends FakeRegistry<Way>>(
  given: Made<Way, Registry>,
): OlderHarness<Registry> {
  const { clock, registry, target } = given
  const cut: { resolvers: Outage | undefined; registrars: Outage | undefined } = {
    resolvers: undefined,
    registrars: undefined,
  }
  const log: string[] = []
  const logger = createRecordingLogger(({ level, message }) => log.push(`${level}: ${message}`))
  const roomOn = (way: Way): DiscoveryRoom => ({
    clock,
    random: seededRandom(1),
    logger,
    reach: () => {
      throw new Error('nothing is reached by calls here')
    },
    ...given.toRoom(way),
  })
  return {
    clock,
    registry,
    log,
    room: roomOn(registry.way(() => undefined)),
    newResolver: () => given.resolvers.create(target, roomOn(registry.way(() => cut.resolvers))),
    newRegistrar: () => given.registrars.create(target, roomOn(registry.way(() => cut.registrars))),
    cutResolvers: (outage) => (cut.resolvers = outage),
    cutRegistrars: (outage) => (cut.registrars = outage),
    restart: () => registry.restart(),
    close: () => {},
  }
}
