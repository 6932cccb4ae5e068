import { isInternalName, showName } from '../core/names.ts'
import { type FarcallClient, nodeParts, parseEndpoint, RpcError, type ServiceDescription } from '../node.ts'
import { listMethod, readAllYourMethods } from './all-your-methods.ts'
import { fromUser } from './usage-error.ts'

/** What a server of ours tells of itself. */
interface Meta {
  methods(service?: string): Promise<readonly ServiceDescription[]>
}

/**
 * The services of a server, described by itself, Farcall's own left out unless one is asked for.
 * @param at Its target, for older systems have another question for this.
 * @throws RpcError `unimplemented` for a server that does not describe itself.
 */
export async function askMethods(
  client: FarcallClient,
  at: string,
  service?: string,
): Promise<readonly ServiceDescription[]> {
  const protocol = protocolOf(at)
  if (hasBareNames(protocol)) return await askOlder(client)
  const meta = client.service<Meta>('farcall.meta').$with({ idempotent: true })
  try {
    const all = await (service === undefined ? meta.methods() : meta.methods(service))
    return service === undefined ? all.filter(({ name }) => !isInternalName(name)) : all
  } catch (thrown) {
    throw isForeign(thrown, service) ? undescribed(protocol, thrown) : thrown
  }
}

// To them a service is no more than a part of a method's name, and a call of ours would come back as a text.
async function askOlder(client: FarcallClient): Promise<readonly ServiceDescription[]> {
  const bare = client
    .service<Record<typeof listMethod, () => Promise<unknown>>>('')
    .$with({ idempotent: true })
  return [readAllYourMethods(await bare[listMethod]())]
}

/** The protocol that a target names. @throws UsageError for one that is none */
export function protocolOf(target: string): string {
  return fromUser(() => parseEndpoint(target)).protocol
}

/** Whether the peers of a protocol know methods without services, and so nothing of `farcall.meta`. */
export function hasBareNames(name: string): boolean {
  return nodeParts.protocols.find((protocol) => protocol.name === name)?.can.bareNames === true
}

/** Whether an error says that there is no `farcall.meta`, each server in its own words. */
function isForeign(thrown: unknown, service: string | undefined): thrown is RpcError {
  if (!RpcError.is(thrown)) return false
  if (thrown.code === 'unimplemented' || thrown.code === 'unknown') return true
  return thrown.code === 'not_found' && (service === undefined || !thrown.message.includes(showName(service)))
}

function undescribed(protocol: string, cause: RpcError): RpcError {
  const message = `this server does not describe itself: it has no farcall.meta that can be asked over ${protocol} (it answered: ${cause.message})`
  return new RpcError('unimplemented', message, { cause })
}
