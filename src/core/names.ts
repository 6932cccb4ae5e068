import { RpcError } from './error.ts'

/** The beginning of the names of Farcall's own services; no other service may have it. */
export const internalPrefix = 'farcall.'

// Every object has these by inheritance, or the language asks for them by itself (`then` by await, `toJSON` by
// JSON.stringify): as methods of a client they would mean two things. A list of our own, not a look at
// Object.prototype, which anyone may have changed.
const reserved: ReadonlySet<string> = new Set([
  'then',
  'toJSON',
  'constructor',
  'prototype',
  '__proto__',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  'toString',
  'valueOf',
])

const pattern = /^[\p{L}_][\p{L}\p{N}\p{M}_$-]*$/u
const maxNameLength = 128

/** Whether a name can never be that of a method, so that a client need not ask anyone. */
export function isReservedName(name: string): boolean {
  return name.startsWith('$') || reserved.has(name)
}

/** Whether a service is Farcall's own, which listings for people leave out. */
export function isInternalName(name: string): boolean {
  return name.startsWith(internalPrefix)
}

/** @throws RpcError `invalid_argument` that says what is wrong with the name, and what to do. */
export function checkServiceName(name: string): void {
  if (isInternalName(name))
    throw wrong(
      'service',
      name,
      `names that begin with '${internalPrefix}' are Farcall's own; choose another`,
    )
  checkName('service', name)
}

/** The same for one of Farcall's own services. */
export function checkInternalName(name: string): void {
  if (!isInternalName(name)) throw wrong('internal service', name, `it should begin with '${internalPrefix}'`)
  // These may have families: `farcall.registry.lab` is beside `farcall.registry`.
  for (const part of name.slice(internalPrefix.length).split('.')) checkName('service', part)
}

/** The same for a method; `service` is for the message. */
export function checkMethodName(service: string, name: string): void {
  checkName(`method of service '${service}':`, name)
}

/** A name as an error may show it: what a peer sent can be long, or forge lines of a log. */
export function showName(name: string): string {
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name
  return `'${JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"').replaceAll('\u007f', '\\u007f')}'`
}

/** Names one after the other, at most `limit` of them. */
export function listNames(names: readonly string[], limit = 10): string {
  const shown = names.slice(0, limit).join(', ')
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown
}

function checkName(what: string, name: string): void {
  if (name === '') throw wrong(what, name, 'it is empty')
  if (name.startsWith('$'))
    throw wrong(what, name, "names that begin with '$' belong to Farcall; choose another")
  if (reserved.has(name)) throw wrong(what, name, 'the language uses it for every object; choose another')
  if (name.includes('.')) throw wrong(what, name, "the dot separates service and method; use '_' or '-'")
  if (name.length > maxNameLength) throw wrong(what, name, `it is longer than ${maxNameLength} characters`)
  if (!pattern.test(name)) {
    throw wrong(
      what,
      name,
      "it should begin with a letter or '_' and hold only letters, digits, '_', '-' and '$'",
    )
  }
}

function wrong(what: string, name: string, why: string): RpcError {
  return new RpcError('invalid_argument', `${what} ${showName(name)} cannot have this name: ${why}`)
}
