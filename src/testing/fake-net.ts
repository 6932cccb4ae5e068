import { balancers } from '../balancers/index.ts'
import type { ClientParts } from '../client/index.ts'
import { silentLogger } from '../core/log.ts'
import { seededRandom } from '../core/random.ts'
import { staticResolvers } from '../discovery/static.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Transport, Wire } from '../transports/transport.ts'
import {
  connectionRefused,
  createFakeProtocol,
  type FakePeer,
  type FakeProtocolOptions,
} from './fake-protocol.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Fake peers by name, and the parts of a client that reaches them at `memory:<name>`. */
export interface FakeNet {
  /** The peer of that name, which from now on can be reached. */
  peer(name: string, options?: FakeProtocolOptions): FakePeer
  readonly parts: ClientParts
}

/** A network of fake peers, without bytes: for tests of what stands above sessions. */
export function createFakeNet(clock: VirtualClock, seed = 1): FakeNet {
  const made = new Map<string, { protocol: Protocol; peer: FakePeer }>()
  const wires = new WeakMap<Wire, Protocol>()
  const transport: Transport = {
    name: 'memory',
    async dial(address, signal) {
      const found = address.transport === 'memory' ? made.get(address.name) : undefined
      if (found === undefined) throw connectionRefused()
      const wire = await found.peer.dial(signal)
      wires.set(wire, found.protocol)
      return wire
    },
    listen: () => Promise.reject(new Error('a fake network has no servers')),
  }
  const protocol: Protocol = {
    ...createFakeProtocol().protocol,
    name: 'farcall',
    dial: (wire, room) => (wires.get(wire) as Protocol).dial(wire, room),
  }
  const random = seededRandom(seed)
  const room = { clock, random, logger: silentLogger }
  return {
    peer(name, options) {
      const one = made.get(name) ?? createFakeProtocol(options)
      made.set(name, one)
      return one.peer
    },
    parts: {
      ...room,
      protocols: [protocol],
      transports: [transport],
      codecs: [],
      resolvers: [staticResolvers],
      balancers,
    },
  }
}
