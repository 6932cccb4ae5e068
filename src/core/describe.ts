import { RpcError } from './error.ts'
import { type Method, method } from './method.ts'
import { listNames, showName } from './names.ts'
import { formatParameters } from './params.ts'
import type { Router, RouterOptions } from './router.ts'
import { internalService, type Service } from './service.ts'

/** A service as plain data, for people and tools. */
export interface ServiceDescription {
  readonly name: string
  readonly version?: string
  /** It is the service that is meant where a peer names only a method. */
  readonly bare?: true
  readonly methods: readonly MethodDescription[]
}

export interface MethodDescription {
  readonly name: string
  /** As people write it: `add(a, b, c=10)`. */
  readonly signature: string
  /** The names of its parameters, where they are known. */
  readonly params?: readonly string[]
  readonly idempotent: boolean
  readonly input: 'values' | 'stream'
  readonly output: 'value' | 'stream'
  readonly timeoutMs?: number
  /** The reasons of its declared errors. */
  readonly errors?: readonly string[]
  readonly doc?: string
}

export function describe(service: Service): ServiceDescription {
  const { name, version, methods } = service
  return {
    name,
    ...(version !== undefined && { version }),
    methods: [...methods.values()].map(describeMethod),
  }
}

function describeMethod({ name, info, parameters, timeoutMs, errors, doc }: Method): MethodDescription {
  return {
    name,
    signature: `${name}${formatParameters(parameters)}`,
    ...(info.params !== undefined && { params: info.params }),
    idempotent: info.idempotent,
    input: info.input,
    output: info.output,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(errors !== undefined && { errors: [...errors.keys()] }),
    ...(doc !== undefined && { doc }),
  }
}

/** The service by which a server tells what it has: what `typeof` a client of `farcall.meta` goes by. */
export type MetaService = ReturnType<typeof metaService>

/** Farcall's own service `farcall.meta`, made of a router: the names of the services, and descriptions of them. */
export function metaService(router: Pick<Router, 'services'> & Pick<RouterOptions, 'bareService'>) {
  const describeOf = (service: Service): ServiceDescription => ({
    ...describe(service),
    ...(service.name === router.bareService && { bare: true }),
  })
  return internalService('farcall.meta', {
    services: method({ params: [], idempotent: true, doc: 'The names of all services.' }, () =>
      router.services().map(({ name }) => name),
    ),
    methods: method(
      { params: ['service?'], idempotent: true, doc: 'Describes one service, or all.' },
      (name?: string): readonly ServiceDescription[] => {
        const all = router.services()
        // Who cannot leave an argument out, as a peer in Go, sends something in its place.
        if (typeof name !== 'string') return all.map(describeOf)
        const wanted = all.filter((service) => service.name === name)
        if (wanted.length > 0) return wanted.map(describeOf)
        const names = listNames(all.map((service) => service.name))
        throw new RpcError('not_found', `unknown service ${showName(name)}; this server has: ${names}`)
      },
    ),
  })
}
