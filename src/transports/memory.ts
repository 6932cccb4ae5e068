import { defer } from '#platform'
import { type Address, formatAddress } from '../core/endpoint.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import { DirectLane, type Lane, type LaneEnd } from './lane.ts'
import { MemoryWire } from './memory-wire.ts'
import type { Listener, Transport, Wire } from './transport.ts'

/** One direction of a new connection, for whoever puts something else than the direct way between its ends. */
export interface LaneAbout {
  /** The number of the connection, from 1. */
  readonly connection: number
  /** The name that was dialled. */
  readonly name: string
  readonly direction: 'to-listener' | 'to-dialer'
}

export interface MemoryTransportOptions {
  /** How a later turn comes. Default: when the current one is over. */
  readonly schedule?: ((fn: () => void) => void) | undefined
  /** The names that are listened at, to share them with other transports. Default: its own. */
  readonly names?: Map<string, (wire: Wire) => void> | undefined
  /** Makes one direction of a connection. Default: a {@link DirectLane}. */
  readonly lane?: ((to: LaneEnd, about: LaneAbout) => Lane) | undefined
}

/**
 * A transport within the process: `memory:name`. It behaves as a socket does (bytes are copied, arrive in a later turn,
 * pile up when nobody reads, end in halves), so it serves for tests and for a service that happens to be local. Names
 * are known within one transport.
 */
export function createMemoryTransport(options: MemoryTransportOptions = {}): Transport {
  const schedule = options.schedule ?? createFairSchedule()
  const makeLane = options.lane ?? ((to: LaneEnd) => new DirectLane(to, schedule))
  const accepting = options.names ?? new Map<string, (wire: Wire) => void>()
  let connections = 0

  function connect(name: string, accept: (wire: Wire) => void): Wire {
    const connection = ++connections
    const dialer = `memory:${name}#${connection}`
    const near = new MemoryWire(
      { transport: 'memory', address: `memory:${name}`, localAddress: dialer },
      schedule,
    )
    const far = new MemoryWire(
      { transport: 'memory', address: dialer, localAddress: `memory:${name}` },
      schedule,
    )
    const there = makeLane(far, { connection, name, direction: 'to-listener' })
    const back = makeLane(near, { connection, name, direction: 'to-dialer' })
    near.join(there, back)
    far.join(back, there)
    accept(far)
    return near
  }

  return {
    name: 'memory',
    dial(to, signal) {
      return new Promise((resolve, reject) => {
        const name = nameOf(to)
        if (signal.aborted) return reject(RpcError.from(signal.reason, 'cancelled', 'connect'))
        schedule(() => {
          const accept = accepting.get(name)
          if (signal.aborted) reject(RpcError.from(signal.reason, 'cancelled', 'connect'))
          else if (accept === undefined) reject(nobodyAt(name))
          else {
            try {
              resolve(connect(name, accept))
            } catch (thrown) {
              reject(RpcError.from(thrown, 'unavailable', 'connect'))
            }
          }
        })
      })
    },
    async listen(at, accept): Promise<Listener> {
      const name = nameOf(at)
      if (accepting.has(name)) {
        throw new RpcError('already_exists', `memory:${name} is in use in this process; choose another name`)
      }
      const own = (wire: Wire) => accept(wire)
      accepting.set(name, own)
      const close = async () => {
        // A later listener of the same name is not ours to remove.
        if (accepting.get(name) === own) accepting.delete(name)
      }
      return { address: { transport: 'memory', name }, close, [Symbol.asyncDispose]: close }
    },
  }
}

function nameOf(address: Address): string {
  if (address.transport === 'memory') return address.name
  throw new RpcError('invalid_argument', `the memory transport does not reach ${formatAddress(address)}`)
}

function nobodyAt(name: string): RpcError {
  const message = `nothing listens at memory:${name} in this process`
  return markNotExecuted(new RpcError('unavailable', message, { phase: 'connect' }))
}

// Deferred functions run before timers and sockets get their turn; two ends that talk without pause would keep
// everything else waiting for ever, so now and then a delivery waits for the event loop to come round.
const deliveriesInARow = 1000
// Where there is no setImmediate, deferring already takes a turn of the event loop.
const nextRound: (fn: () => void) => unknown = globalThis.setImmediate ?? defer

function createFairSchedule(): (fn: () => void) => void {
  let inARow = 0
  return (fn) => {
    if (++inARow < deliveriesInARow) return defer(fn)
    inARow = 0
    nextRound(fn)
  }
}
