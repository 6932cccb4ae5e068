import type { FarcallClient, MethodDescription } from '../../node.ts'
import { askMethods } from '../ask-methods.ts'
import { askServers } from '../ask-servers.ts'
import type { CommandRoom } from '../room.ts'

/** Which method of whom. */
export interface Wanted {
  readonly client: FarcallClient
  /** Empty: the one service that has the method. */
  readonly service: string
  readonly method: string
  readonly room: CommandRoom
}

/**
 * A method, as one of the servers that would be called describes it. Undefined where it has no such method, or several.
 * @throws RpcError `unimplemented` where the server does not describe itself.
 */
export async function describedAt(wanted: Wanted): Promise<MethodDescription | undefined> {
  const { service, method, room } = wanted
  const endpoint = await whoHas(wanted)
  const services = await askServers(endpoint, room, (server) =>
    askMethods(server, endpoint, service || undefined),
  )
  const bare = services.filter((one) => one.bare === true)
  const found = (bare.length > 0 && service === '' ? bare : services).flatMap(({ methods }) =>
    methods.filter(({ name }) => name === method),
  )
  return found.length === 1 ? found[0] : undefined
}

// Of those that are found without the name of a service, not all have the method.
async function whoHas({ client, service, method }: Wanted): Promise<string> {
  const all = service === '' ? await client.endpoints('') : []
  const having = all.find(({ instance }) =>
    instance.services.some(({ methods }) => methods?.includes(method) === true),
  )
  return (having ?? (await client.pick(service))).endpoint
}
