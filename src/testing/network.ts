import { sleep, type Clock } from '../core/clock.ts'
import type { Address } from '../core/endpoint.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import { type Random, seededRandom } from '../core/random.ts'
import { createMemoryTransport } from '../transports/memory.ts'
import type { Transport, Wire } from '../transports/transport.ts'
import { FaultLane, type NetworkConditions } from './fault-lane.ts'

export type { FaultLane, NetworkConditions } from './fault-lane.ts'

export interface TestNetworkOptions {
  /** Usually a virtual one; then the same seed gives the same run. */
  readonly clock: Clock
  /** Default: `seededRandom(1)`. */
  readonly random?: Random | undefined
}

/** Undoes a fault; harmless if repeated. */
export type Heal = () => void

/** One connection of a test network, with what can be done to it. */
export interface TestConnection {
  /** The host that dialled. */
  readonly from: string
  /** The host that listens. */
  readonly to: string
  /** The name that was dialled. */
  readonly name: string
  readonly toListener: FaultLane
  readonly toDialer: FaultLane
  /** Breaks it off: both ends see a reset, and what was on its way is lost. */
  reset(): void
}

/** A network within the process, in which anything can go wrong, on purpose and repeatably. */
export interface TestNetwork {
  /** The transport of a host without a name. Addresses are `memory:name`. */
  readonly transport: Transport
  /** The transport of a host, for faults between hosts. */
  at(host: string): Transport
  /** All connections so far, oldest first. */
  readonly connections: readonly TestConnection[]
  /** Told of each new connection before its first byte, to plan a fault for it. */
  onConnection: (connection: TestConnection) => void
  /** Changes how the whole network is, from now on. */
  set(conditions: Partial<NetworkConditions>): void
  /** Nothing gets through between two hosts, and dialling hangs; without `b`, between `a` and all others. */
  partition(a: string, b?: string): Heal
  /** Dialling this name is refused, though something listens there. */
  refuse(name: string): Heal
}

export function createTestNetwork(options: TestNetworkOptions): TestNetwork {
  const { clock, random = seededRandom(1) } = options
  let conditions: NetworkConditions = {
    latencyMs: 0,
    jitterMs: 0,
    bytesPerMs: Number.POSITIVE_INFINITY,
    cut: 'never',
  }
  const names = new Map<string, (wire: Wire) => void>()
  const hosts = new Map<string, string>()
  const connections: TestConnection[] = []
  const partitions = new Set<{ readonly a: string; readonly b: string | undefined }>()
  const refused = new Set<string>()
  const waiting = new Set<() => void>()

  function isApart(one: string, other: string): boolean {
    for (const { a, b } of partitions) {
      if (one === a && other !== a && (b === undefined || other === b)) return true
      if (other === a && one !== a && (b === undefined || one === b)) return true
    }
    return false
  }

  function open(from: string, name: string, lanes: readonly FaultLane[]): void {
    const [toListener, toDialer] = lanes as [FaultLane, FaultLane]
    const to = hosts.get(name) ?? ''
    const connection: TestConnection = { from, to, name, toListener, toDialer, reset: () => resetAll(lanes) }
    connections.push(connection)
    network.onConnection(connection)
  }

  async function reach(from: string, address: Address, signal: AbortSignal): Promise<void> {
    const name = address.transport === 'memory' ? address.name : ''
    if (refused.has(name)) throw refusal(name)
    while (isApart(from, hosts.get(name) ?? '')) await healing(signal)
    if (conditions.latencyMs > 0) await sleep(clock, conditions.latencyMs, signal)
  }

  function healing(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        waiting.delete(done)
        signal.removeEventListener('abort', done)
        if (signal.aborted) reject(RpcError.from(signal.reason, 'cancelled', 'connect'))
        else resolve()
      }
      waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
      if (signal.aborted) done()
    })
  }

  function at(from: string): Transport {
    const opening = new Map<number, FaultLane[]>()
    const transport = createMemoryTransport({
      schedule: (fn) => clock.defer(fn),
      names,
      lane(end, { connection, name }) {
        const lanes = opening.get(connection) ?? []
        opening.set(connection, lanes)
        const isHeld = () => isApart(from, hosts.get(name) ?? '')
        const reset = () => resetAll(lanes)
        const lane = new FaultLane(end, { clock, random, conditions: () => conditions, isHeld, reset })
        if (lanes.push(lane) === 2) {
          opening.delete(connection)
          open(from, name, lanes)
        }
        return lane
      },
    })
    return {
      name: 'memory',
      async dial(address, signal) {
        await reach(from, address, signal)
        return transport.dial(address, signal)
      },
      listen(address, accept) {
        if (address.transport === 'memory' && !names.has(address.name)) hosts.set(address.name, from)
        return transport.listen(address, accept)
      },
    }
  }

  const network: TestNetwork = {
    transport: at(''),
    at,
    connections,
    onConnection: () => {},
    set(changes) {
      conditions = { ...conditions, ...changes }
    },
    partition(a, b) {
      const partition = { a, b }
      partitions.add(partition)
      return () => {
        partitions.delete(partition)
        for (const { toListener, toDialer } of connections) {
          toListener.wake()
          toDialer.wake()
        }
        for (const again of waiting) again()
      }
    },
    refuse(name) {
      refused.add(name)
      return () => void refused.delete(name)
    },
  }
  return network
}

function resetAll(lanes: readonly FaultLane[]): void {
  for (const lane of lanes)
    lane.breakOff(new RpcError('unavailable', 'the connection was reset (ECONNRESET)'))
}

function refusal(name: string): RpcError {
  const message = `nothing listens at memory:${name} (ECONNREFUSED)`
  return markNotExecuted(new RpcError('unavailable', message, { phase: 'connect' }))
}
