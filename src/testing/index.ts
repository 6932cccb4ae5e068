// What tests of programs that use Farcall need: time that stands still, a network that breaks on demand, and chance
// that repeats itself.

export { seededRandom, type Random } from '../core/random.ts'
export { createMemoryTransport, type MemoryTransportOptions } from '../transports/memory.ts'
export {
  createTestNetwork,
  type FaultLane,
  type Heal,
  type NetworkConditions,
  type TestConnection,
  type TestNetwork,
  type TestNetworkOptions,
} from './network.ts'
export { type ScriptedPeer, scriptedPeer } from './scripted-peer.ts'
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts'
