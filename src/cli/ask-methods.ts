import { type FarcallClient, RpcError, type ServiceDescription } from '../node.ts'

/** What a server tells of itself. */
interface Meta {
  methods(service?: string): Promise<readonly ServiceDescription[]>
}

/**
 * The services of a server, described by itself, Farcall's own left out unless one is asked for.
 * @throws RpcError `unimplemented` for a server that does not describe itself.
 */
export async function askMethods(
  client: FarcallClient,
  service?: string,
): Promise<readonly ServiceDescription[]> {
  const meta = client.service<Meta>('farcall.meta').$with({ idempotent: true })
  try {
    const all = await (service === undefined ? meta.methods() : meta.methods(service))
    return service === undefined ? all.filter(({ name }) => !name.startsWith('farcall.')) : all
  } catch (thrown) {
    if (RpcError.is(thrown) && thrown.code === 'not_found' && thrown.message.includes("'farcall.meta'"))
      throw new RpcError('unimplemented', 'this server does not describe itself (it has no farcall.meta)')
    throw thrown
  }
}
