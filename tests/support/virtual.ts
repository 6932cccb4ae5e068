import { createFarcall, type Farcall, type FarcallParts, type Logger, nodeParts, seededRandom } from 'farcall'
import { createTestNetwork, createVirtualClock, type TestNetwork, type VirtualClock } from 'farcall/testing'

/** What a server or a client has logged. */
export interface LogLine {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** All of Farcall in one process, in time that stands still and on a network that breaks on demand. */
export interface VirtualWorld extends Farcall {
  readonly clock: VirtualClock
  readonly network: TestNetwork
  readonly log: LogLine[]
  /** The same for a host of its own, so that it can be cut off from others. */
  at(host: string): Farcall
}

/** The same seed gives the same run. Addresses are `memory:name`. `others` are parts in the place of the usual ones. */
export function createVirtualWorld(seed = 1, others: Partial<FarcallParts> = {}): VirtualWorld {
  const clock = createVirtualClock(1_000)
  const random = seededRandom(seed)
  const network = createTestNetwork({ clock, random })
  const log: LogLine[] = []
  const write =
    (level: string): Logger['info'] =>
    (fields, message) =>
      void log.push({ level, fields, message })
  const logger: Logger = {
    trace: () => {},
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
  const transports = [network.transport]
  const parts: FarcallParts = { ...nodeParts, ...others, clock, random, logger, transports }
  const at = (host: string) => createFarcall({ ...parts, transports: [network.at(host)] })
  return { ...createFarcall(parts), clock, network, log, at }
}

/** A promise, as it is at the moment, without waiting for it. */
export function watch<T>(promise: PromiseLike<T>): { settled: number; value?: T; error?: any } {
  const seen: { settled: number; value?: T; error?: unknown } = { settled: 0 }
  promise.then(
    (value) => {
      seen.settled++
      seen.value = value
    },
    (error: unknown) => {
      seen.settled++
      seen.error = error
    },
  )
  return seen
}
