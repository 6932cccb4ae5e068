import { defineMethod } from './define-method.ts'
import { RpcError } from './error.ts'
import type { AnyFunction, Method, MethodDefinition } from './method.ts'
import { checkInternalName, checkServiceName, showName } from './names.ts'

/** Only a type: what carries the signatures from a service to its clients. */
declare const contract: unique symbol

/** A named set of methods. `typeof` it is the contract that a client is typed by; the value never changes. */
export interface Service<Name extends string = string, Members = unknown> {
  readonly name: Name
  /** Any text; clients may ask for one. */
  readonly version: string | undefined
  readonly methods: ReadonlyMap<string, Method>
  readonly [contract]?: Members
}

/** What a service is made of: functions, and functions with options. */
export type ServiceMember = AnyFunction | MethodDefinition

/** An object whose members are all functions, or functions with options. */
export type Members<M> = { readonly [Name in keyof M]: ServiceMember }

export interface ServiceDefinitionOptions {
  /** Any text, such as `1.2`; clients may ask for one, and errors name it. Default: none. */
  readonly version?: string
}

/** The names of an object's functions. */
export type MethodNames<T> = { [Name in keyof T]: T[Name] extends ServiceMember ? Name : never }[keyof T] &
  string

export interface InstanceServiceOptions<Names extends readonly string[], Name extends string = string>
  extends ServiceDefinitionOptions {
  /** The methods that may be called; no other can be. */
  readonly methods: Names
  /** Default: the name of the instance's class. */
  readonly name?: Name
}

/**
 * Makes a service of the own functions of a plain object: `service('math', { add: (a: number, b: number) => a + b })`.
 * Inherited functions are no part of it, and a member that is no function is refused.
 * @throws RpcError `invalid_argument` that says what is wrong, for instance with a name, and what to do.
 */
export function service<const Name extends string, M extends Members<M>>(
  name: Name,
  members: M,
  options?: ServiceDefinitionOptions,
): Service<Name, M>
/**
 * Makes a service of the listed methods of a class instance, bound to it:
 * `service(new Calculator(), { methods: ['add', 'sub'] })`.
 * @throws RpcError `invalid_argument` that says what is wrong, for instance a method that is not there.
 */
export function service<
  T extends object,
  const Names extends readonly MethodNames<T>[],
  const Name extends string = string,
>(instance: T, options: InstanceServiceOptions<Names, Name>): Service<Name, Pick<T, Names[number]>>
export function service(
  subject: string | object,
  second: object,
  options: ServiceDefinitionOptions = {},
): Service {
  if (typeof subject !== 'string')
    return instanceService(subject, second as InstanceServiceOptions<readonly string[]>)
  checkServiceName(subject)
  return objectService(subject, second, options)
}

/**
 * The same for one of Farcall's own services, whose names begin with `farcall.`. Not part of the public face.
 * @throws RpcError as `service` does.
 */
export function internalService<const Name extends `farcall.${string}`, M extends Members<M>>(
  name: Name,
  members: M,
  options: ServiceDefinitionOptions = {},
): Service<Name, M> {
  checkInternalName(name)
  return objectService(name, members, options) as Service<Name, M>
}

function objectService(name: string, members: unknown, options: ServiceDefinitionOptions): Service {
  if (!isPlainObject(members)) {
    const found =
      typeof members === 'object' && members !== null
        ? `an instance of ${className(members)}`
        : String(members)
    throw wrong(
      name,
      `its methods must be a plain object, got ${found}; of an instance name the methods: service(instance, { name: '${name}', methods: ['…'] })`,
    )
  }
  const own = Object.getOwnPropertyDescriptors(members)
  return assemble(name, options.version, (version) =>
    Object.keys(own).map((key) =>
      defineMethod({
        service: name,
        version,
        name: key,
        member: readMember(name, key, own[key]),
        self: members,
      }),
    ),
  )
}

function instanceService(instance: object, options: InstanceServiceOptions<readonly string[]>): Service {
  if (typeof instance !== 'object' || instance === null) {
    throw new RpcError(
      'invalid_argument',
      'service() takes a name and functions, or an instance and { methods: [names] }',
    )
  }
  const name = options?.name ?? className(instance)
  if (options?.name === undefined && (isPlainObject(instance) || name === '')) {
    throw new RpcError(
      'invalid_argument',
      "a service of an object without a class needs a name: service(object, { name: '…', methods })",
    )
  }
  checkServiceName(name)
  const { methods } = options
  if (!Array.isArray(methods))
    throw wrong(name, `name the methods that may be called: { methods: ['add', …] }`)
  const doubled = methods.find((key, at) => methods.indexOf(key) !== at)
  if (doubled !== undefined) throw wrong(name, `method ${showName(String(doubled))} is listed twice`)
  return assemble(name, options.version, (version) =>
    methods.map((key: string) => {
      const member = readMember(name, key, findMember(name, instance, key))
      return defineMethod({ service: name, version, name: key, member, self: instance })
    }),
  )
}

function assemble(
  name: string,
  version: unknown,
  define: (version: string | undefined) => readonly Method[],
): Service {
  if (version !== undefined && (typeof version !== 'string' || version === '' || version.length > 128)) {
    throw wrong(
      name,
      `version must be a short text such as '1.2', got a ${typeof version}${typeof version === 'string' ? ` of ${version.length} characters` : ''}`,
    )
  }
  const methods = new Map(define(version).map((method) => [method.name, method]))
  if (methods.size === 0) throw wrong(name, 'it has no methods; give it at least one function')
  return Object.freeze({ name, version, methods })
}

// Looked for as the class declares it, but never among what every object has.
function findMember(service: string, instance: object, key: unknown): PropertyDescriptor {
  if (typeof key !== 'string') throw wrong(service, `methods must be a list of names, got ${String(key)}`)
  let holder: object | null = instance
  while (holder !== null && holder !== Object.prototype) {
    const found = Object.getOwnPropertyDescriptor(holder, key)
    if (found !== undefined) return found
    holder = Object.getPrototypeOf(holder) as object | null
  }
  throw wrong(
    service,
    `${className(instance) || 'the object'} has no method ${showName(key)}; list only methods that it has`,
  )
}

function readMember(service: string, key: string, descriptor: PropertyDescriptor | undefined): unknown {
  if (descriptor !== undefined && 'value' in descriptor) return descriptor.value
  throw wrong(service, `${showName(key)} is a getter or setter, not a function; make it a method`)
}

// Module namespaces have no prototype, so a module of functions is a service as it stands.
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function className(instance: object): string {
  const maker: unknown = (Object.getPrototypeOf(instance) as { constructor?: unknown } | null)?.constructor
  return typeof maker === 'function' ? maker.name : ''
}

function wrong(service: string, why: string): RpcError {
  return new RpcError('invalid_argument', `service ${showName(service)}: ${why}`)
}
