import { RpcError } from '../../core/error.ts'
import type { ServiceEntry } from '../../core/instance.ts'
import { readHostPort, readPlace, type Place } from './place.ts'

/** What is offered at a place, as far as the registry was told; empty for "not known". */
export type ServiceNames = (place: Place) => readonly ServiceEntry[]

/**
 * Reads which services are offered where, by `host:port` or `host`; the former goes first.
 * @throws RpcError `invalid_argument` for a key that is neither, or a value that is no list of names.
 */
export function createServiceNames(given: Readonly<Record<string, readonly string[]>>): ServiceNames {
  const known = new Map<string, readonly ServiceEntry[]>()
  for (const [key, names] of Object.entries(given)) known.set(readKey(key), readNames(key, names))
  return ({ host, port }) => known.get(keyOf(host, port)) ?? known.get(host) ?? []
}

/** Entries for services of which nothing but their names is known. */
export function namedServices(names: readonly string[]): readonly ServiceEntry[] {
  return [...new Set(names)].map((name) => ({ name }))
}

function readKey(key: string): string {
  // As the Go systems write it, too.
  const address = key.replace(/^[a-z]+@/, '')
  const isHost = !/^(\[.*\]|[^:]*):\d+$/.test(address)
  try {
    if (isHost) return readPlace({ host: address, port: 1 }, undefined).host
    const { host, port } = readHostPort(address, undefined)
    return keyOf(host, port)
  } catch (error) {
    const why = RpcError.from(error).message
    throw wrong(`'${key}' is no host or host:port (${why})`)
  }
}

function keyOf(host: string, port: number): string {
  return `${host} ${port}`
}

function readNames(key: string, names: readonly string[]): readonly ServiceEntry[] {
  const isList = Array.isArray(names) && names.length > 0
  if (isList && names.every((name) => typeof name === 'string' && name !== '')) return namedServices(names)
  throw wrong(`'${key}' must have a list of names of services`)
}

function wrong(why: string): RpcError {
  return new RpcError('invalid_argument', `faces.services: ${why}`)
}
