import type { Call } from './call.ts'
import { markNotExecuted, RpcError } from './error.ts'
import type { Handler } from './layer.ts'
import type { Method } from './method.ts'
import type { MethodInfo } from './method-info.ts'
import { isInternalName, listNames, showName } from './names.ts'
import { nearest } from './nearest.ts'
import { type RunRoom, runMethod } from './run-method.ts'
import type { Service } from './service.ts'

/** How the message begins that says that there is no such service; a protocol with words of its own looks for it. */
export const unknownServiceText = 'unknown service '
/** The same for a method that was named without a service. */
export const unknownMethodText = 'no service has a method '

export interface RouterOptions extends RunRoom {
  /**
   * The service that answers a peer which names only a method. Default: the only one that has such a method; where
   * several have it, the peer is told to name one.
   */
  readonly bareService?: string
}

/** Finds the method that a call names, and runs it. */
export interface Router {
  /** The innermost handler of a server. */
  readonly handler: Handler
  /** @throws RpcError `already_exists` for a service of the same name. */
  add(service: Service): void
  /** Calls in flight go on; new ones get `not_found`, marked as not executed. False where there was none. */
  remove(name: string): boolean
  /** In the order in which they were added. */
  services(): readonly Service[]
  /** What is known of a method; undefined where there is none. */
  info(service: string, method: string): MethodInfo | undefined
  /** Called after each change of the services. */
  onChange: () => void
}

export function createRouter(options: RouterOptions): Router {
  // Names come from peers: only maps are ever asked for them.
  const services = new Map<string, Service>()
  const removed = new Set<string>()

  // Calls come in runs of the same method, and its names are mostly the very same strings.
  let last: { readonly service: string; readonly name: string; readonly method: Method } | undefined

  const find = (call: Call): Method => {
    if (last !== undefined && last.name === call.method && last.service === call.service) return last.method
    const service = services.get(call.service)
    const method = service?.methods.get(call.method)
    if (method !== undefined) {
      last = { service: call.service, name: call.method, method }
      return method
    }
    if (service !== undefined) throw unknownMethod(call.method, service)
    if (call.service === '') return findBare(call.method, services, options.bareService)
    const error = unknownService(call.service, publicNames(services))
    throw removed.has(call.service) ? markNotExecuted(error) : error
  }

  const router: Router = {
    handler: (call) => runMethod(find(call), call, options),
    add(service) {
      if (services.has(service.name)) {
        throw new RpcError(
          'already_exists',
          `there is already a service ${showName(service.name)}; remove it first, or name this one differently`,
        )
      }
      services.set(service.name, service)
      removed.delete(service.name)
      router.onChange()
    },
    remove(name) {
      if (!services.delete(name)) return false
      last = undefined
      removed.add(name)
      router.onChange()
      return true
    },
    services: () => [...services.values()],
    info: (service, method) => services.get(service)?.methods.get(method)?.info,
    onChange: () => {},
  }
  return router
}

type Services = ReadonlyMap<string, Service>

function findBare(name: string, services: Services, configured: string | undefined): Method {
  if (configured !== undefined) {
    const service = services.get(configured)
    const method = service?.methods.get(name)
    if (method !== undefined) return method
    throw service === undefined
      ? unknownService(configured, publicNames(services))
      : unknownMethod(name, service)
  }
  const found: Method[] = []
  for (const service of services.values()) {
    const method = isInternalName(service.name) ? undefined : service.methods.get(name)
    if (method !== undefined) found.push(method)
  }
  const [only] = found
  if (found.length > 1) {
    const names = listNames(found.map(({ fullName }) => fullName))
    throw new RpcError(
      'invalid_argument',
      `several services have a method ${showName(name)}; call one of ${names}`,
    )
  }
  if (only === undefined) {
    throw new RpcError(
      'not_found',
      `${unknownMethodText}${showName(name)}; this server has: ${listNames(publicNames(services)) || 'none'}`,
    )
  }
  return only
}

function unknownService(name: string, names: readonly string[]): RpcError {
  const near = nearest(name, names)
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}? ` : ''
  return new RpcError(
    'not_found',
    `${unknownServiceText}${showName(name)}; ${hint}this server has: ${listNames(names) || 'none'}`,
  )
}

function unknownMethod(name: string, service: Service): RpcError {
  const names = [...service.methods.keys()]
  const near = nearest(name, names)
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `it has: ${listNames(names)}`
  const version = service.version === undefined ? '' : ` ${service.version}`
  return new RpcError(
    'not_found',
    `service '${service.name}'${version} has no method ${showName(name)}; ${hint}`,
  )
}

function publicNames(services: Services): string[] {
  return [...services.keys()].filter((name) => !isInternalName(name))
}
