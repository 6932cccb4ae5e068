import type { MethodInfo } from '../core/method-info.ts'

/** One method as the client knows it. Its info changes when a peer tells of it. */
export interface KnownMethod {
  readonly service: string
  readonly name: string
  /** `math.add`, for messages. */
  readonly fullName: string
  /** From a contract that the user gave: no peer changes it. */
  declared: boolean
  info: MethodInfo | undefined
}

// More than any program names by hand; a gateway that takes names from elsewhere must not fill the memory with them.
const maxMethods = 10_000

/** What is known of the methods of all services: what contracts declare, and what peers say. */
export class KnownMethods {
  readonly #services = new Map<string, Map<string, KnownMethod>>()
  #count = 0

  /** The record of a method, made if there is none. */
  get(service: string, name: string): KnownMethod {
    return this.#find(service, name) ?? this.#add(record(service, name))
  }

  /** Takes in what a contract says; it goes before what peers say. */
  declare(service: string, name: string, info: MethodInfo): void {
    const method = this.get(service, name)
    method.declared = true
    method.info = info
  }

  info(service: string, name: string): MethodInfo | undefined {
    return this.#find(service, name)?.info
  }

  learn(service: string, name: string, info: MethodInfo): void {
    const method = this.get(service, name)
    if (!method.declared) method.info = info
  }

  #find(service: string, name: string): KnownMethod | undefined {
    return this.#services.get(service)?.get(name)
  }

  #add(method: KnownMethod): KnownMethod {
    // Past the limit a method is used, but not remembered.
    if (this.#count >= maxMethods) return method
    const methods = this.#services.get(method.service) ?? new Map<string, KnownMethod>()
    this.#services.set(method.service, methods)
    methods.set(method.name, method)
    this.#count++
    return method
  }
}

function record(service: string, name: string): KnownMethod {
  const fullName = service === '' ? name : `${service}.${name}`
  return { service, name, fullName, declared: false, info: undefined }
}
