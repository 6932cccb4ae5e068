import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import type { Logger } from '../core/log.ts'
import type { Random } from '../core/random.ts'
import type { RegistrarFactory, DiscoveryRoom } from '../discovery/source.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { ByteStream, Transport, Wire } from '../transports/transport.ts'
import type { Unwrap } from '../transports/unwrap.ts'
import type { LoadReading } from './own-load.ts'

/** What a server is put together from; the composition root knows the concrete ones. */
export interface ServerParts {
  readonly clock: Clock
  readonly random: Random
  /** Best first. */
  readonly protocols: readonly Protocol[]
  /** Without TLS, which comes with its certificates in the options. */
  readonly unwraps: readonly Unwrap[]
  readonly transports: readonly Transport[]
  /** Best first. */
  readonly codecs: readonly Codec[]
  readonly logger: Logger
  readonly registrars: readonly RegistrarFactory[]
  readonly discoveryRoom: DiscoveryRoom
  /** The addresses of this machine that others may reach, best first. Default: none known. */
  readonly localAddresses?: () => readonly string[]
  /** Makes a wire of a stream of the platform's, for `accept`; undefined for what is none. Default: only wires. */
  readonly wireFrom?: (stream: ByteStream) => Wire | undefined
  /** Reads the load of this process, which `adaptWeight` goes by. Default: it cannot be told. */
  readonly ownLoad?: () => LoadReading
  /** Milliseconds since 1970, for what must grow from one run of a server to the next. Default `Date.now`. */
  readonly wallClock?: () => number
}
