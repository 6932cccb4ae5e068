import { type Address, formatAddress } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Listener, Transport, Wire } from '../transports/transport.ts'
import type { Spoken } from './connection.ts'
import type { ListenTarget } from './options.ts'
import { findProtocol } from './spoken.ts'

export interface ListeningOptions {
  readonly transports: readonly Transport[]
  readonly targets: readonly ListenTarget[]
  readonly spoken: Spoken
  readonly accept: (wire: Wire, spoken: Spoken) => void
}

/** All places that a server listens at. */
export class Listening {
  readonly #options: ListeningOptions
  readonly #listeners: Listener[] = []
  #places: ListenTarget[] = []
  #closed: Promise<void> | undefined

  constructor(options: ListeningOptions) {
    this.#options = options
    // What cannot be listened at is said when the server is made.
    for (const target of options.targets) {
      this.#transportOf(target.address)
      this.#spokenAt(target)
    }
  }

  /** Where it listens: a port 0 has become the real one. Empty before that. */
  get places(): readonly ListenTarget[] {
    return this.#places
  }

  /** Listens everywhere, or throws and listens nowhere. */
  async open(): Promise<void> {
    for (const target of this.#options.targets) {
      const spoken = this.#spokenAt(target)
      const { address } = target
      const transport = this.#transportOf(address)
      // TLS is taken off by its unwrap; what carries it is TCP.
      const at: Address = address.transport === 'tls' ? { ...address, transport: 'tcp' } : address
      const listener = await transport.listen(at, (wire) => this.#options.accept(wire, spoken))
      if (this.#closed !== undefined) return listener.close()
      this.#listeners.push(listener)
      this.#places.push({ address: sameKind(address, listener.address), protocol: target.protocol })
    }
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#listeners.map((listener) => listener.close())).then(() => {})
    return this.#closed
  }

  #transportOf(address: Address): Transport {
    const name = address.transport === 'tls' ? 'tcp' : address.transport
    const found = this.#options.transports.find((transport) => transport.name === name)
    if (found !== undefined) return found
    const known = this.#options.transports.map((transport) => transport.name).join(', ')
    throw new RpcError(
      'invalid_argument',
      `cannot listen at ${formatAddress(address)}: there is no transport '${name}' here, only ${known}`,
    )
  }

  #spokenAt({ address, protocol }: ListenTarget): Spoken {
    const { spoken } = this.#options
    const tlsOnly = address.transport === 'tls'
    if (protocol === undefined) return tlsOnly ? { ...spoken, tlsOnly } : spoken
    return { ...spoken, protocols: [findProtocol(spoken.protocols, protocol)], tlsOnly }
  }
}

function sameKind(asked: Address, real: Address): Address {
  return asked.transport === 'tls' && real.transport === 'tcp' ? { ...real, transport: 'tls' } : real
}
