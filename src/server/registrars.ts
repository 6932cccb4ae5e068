import { RpcError } from '../core/error.ts'
import type { DiscoveryRoom, RegistrarFactory } from '../discovery/source.ts'
import type { NamedRegistrar } from './announcer.ts'

/** @throws RpcError `invalid_argument` for a target that nobody reads; it lists the schemes that there are. */
export function createRegistrars(
  factories: readonly RegistrarFactory[],
  targets: readonly string[],
  room: DiscoveryRoom,
): NamedRegistrar[] {
  return targets.map((target) => {
    const scheme = target.slice(0, Math.max(0, target.indexOf(':')))
    const factory = factories.find(({ schemes }) => schemes.includes(scheme))
    if (factory !== undefined) return { target, registrar: factory.create(target, room) }
    const known = factories.flatMap(({ schemes }) => schemes).map((known) => `${known}:`)
    const list = known.length === 0 ? 'there are none' : `known are ${known.join(', ')}`
    throw new RpcError('invalid_argument', `'${target}' is no registry to register at; ${list}`)
  })
}
