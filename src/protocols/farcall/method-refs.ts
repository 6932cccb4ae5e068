import { RpcError } from '../../core/error.ts'
import type { MethodRef } from './encode.ts'
import { maxMethodRefs, methodRefs } from './frames.ts'

/** The caller's side of method numbers: the first call of a method names it and gives it the next number. */
export class OutgoingMethodRefs {
  readonly #byService = new Map<string, Map<string, MethodRef>>()
  readonly #byRef: MethodRef[] = []
  // Calls come in runs of the same method, and its names are mostly the very same strings.
  #last: MethodRef | undefined

  /** How to write this method; `first` if the peer learns its number only now. */
  refer(service: string, method: string): MethodRef {
    const last = this.#last
    if (last !== undefined && last.method === method && last.service === service) return last
    const known = this.#byService.get(service)?.get(method)
    if (known !== undefined) return (this.#last = known)
    const ref = this.#byRef.length < maxMethodRefs ? methodRefs.define : methodRefs.literal
    return { ref, service, method }
  }

  /** The call that defines it has been written. */
  defined(service: string, method: string): void {
    const entry = { ref: this.#byRef.length + methodRefs.first, service, method }
    this.#byRef.push(entry)
    let methods = this.#byService.get(service)
    if (methods === undefined) this.#byService.set(service, (methods = new Map()))
    methods.set(method, entry)
  }

  /** What a METHOD frame speaks of. */
  get(ref: number): MethodRef | undefined {
    return this.#byRef[ref - methodRefs.first]
  }
}

/** The callee's side. */
export class IncomingMethodRefs {
  readonly #byRef: MethodRef[] = []

  /** Called for each method that is given a number. */
  onNew: (entry: MethodRef) => void = () => {}

  /**
   * The method that a call names.
   * @throws RpcError `invalid_argument` for a number that was never given, `resource_exhausted` for too many.
   */
  resolve({ ref, service, method }: MethodRef): MethodRef {
    if (ref >= methodRefs.first) {
      const entry = this.#byRef[ref - methodRefs.first]
      if (entry === undefined)
        throw new RpcError(
          'invalid_argument',
          `a call refers to method number ${ref}, which was never defined`,
        )
      return entry
    }
    if (ref === methodRefs.literal) return { ref, service, method }
    if (this.#byRef.length >= maxMethodRefs)
      throw new RpcError(
        'resource_exhausted',
        `more than ${maxMethodRefs} methods are numbered on one connection`,
      )
    const entry = { ref: this.#byRef.length + methodRefs.first, service, method }
    this.#byRef.push(entry)
    this.onNew(entry)
    return entry
  }
}
