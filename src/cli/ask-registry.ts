import { type Client, connect, type FarcallClient, formatEndpoint, RpcError } from '../node.ts'
import type { InstanceData } from '../discovery/api/instance-data.ts'
import type { FeedItem, ListReply, ListRequest, WatchRequest } from '../discovery/api/messages.ts'
import type { Query } from '../discovery/resolver.ts'
import { parseRegistryTarget } from '../discovery/registry-target.ts'
import { checkListening, isOlderRegistry, listOlder, openOlder } from './older-registry.ts'
import type { CommandRoom } from './room.ts'
import { numberOf } from './settings/typed.ts'
import { fromUser } from './usage-error.ts'
import { whileOpen } from './while-open.ts'

/** The service of a registry, as far as the command line asks it. */
export interface RegistryFace {
  list(request: ListRequest): Promise<ListReply>
  watch(request: WatchRequest): AsyncIterable<FeedItem>
}

/**
 * A client of a registry of ours, to ask it directly.
 * @throws UsageError for a target that is none.
 */
export function connectRegistry(target: string, { logger }: Pick<CommandRoom, 'logger'>): FarcallClient {
  return fromUser(() => connect(parseRegistryTarget(target).map(formatEndpoint), { logger }))
}

// A registry that answers at all does so in milliseconds.
const answerMs = 3_000

/**
 * Makes sure that a registry is there: one of ours answers; at the address of an older one somebody listens.
 * @throws RpcError `unavailable` or `deadline_exceeded` that says why it is not.
 */
export async function checkRegistry(target: string, room: Pick<CommandRoom, 'logger'>): Promise<void> {
  await reaching(async () => {
    if (isOlderRegistry(target)) return await checkListening(target, answerMs)
    await whileOpen(connectRegistry(target, room), (client) =>
      // Nothing is called so: the answer is short.
      registryOf(client, answerMs).list({ query: { service: '-' } }),
    )
  })
}

/**
 * Everything that a registry has, of ours page by page, of older systems as far as it can be told.
 * @throws RpcError `unavailable` or `deadline_exceeded` if it does not answer; UsageError for one that has to be asked by
 * name, and no service in the query.
 */
export function listInstances(
  target: string,
  room: CommandRoom,
  query: Query = {},
): Promise<readonly InstanceData[]> {
  const timeoutMs = numberOf(room.settings, 'timeoutMs') ?? answerMs
  return reaching(() =>
    isOlderRegistry(target)
      ? whileOpen(openOlder(target, room.logger), (resolver) =>
          listOlder(resolver, target, { query, timeoutMs }),
        )
      : whileOpen(connectRegistry(target, room), (client) => listPages(registryOf(client, timeoutMs), query)),
  )
}

/** What to ask a registry for, where only some are meant. */
export function queryFor(service: string | undefined, protocol: string | undefined): Query {
  return { ...(service !== undefined && { service }), ...(protocol !== undefined && { protocol }) }
}

/** Says that a registry has nobody of those that it was asked for. */
export function hasNobody(registry: string, { service, protocol }: Query): string {
  const what = service === undefined ? 'no instances' : `no instance of '${service}'`
  return `${registry} has ${what}${protocol === undefined ? '' : ` for ${protocol}`}`
}

function registryOf(client: FarcallClient, timeoutMs: number): Client<RegistryFace> {
  return client.service<RegistryFace>('farcall.registry').$with({ idempotent: true, timeoutMs })
}

async function listPages(registry: Client<RegistryFace>, query: Query): Promise<readonly InstanceData[]> {
  const all: InstanceData[] = []
  let after: number | undefined
  do {
    const page = await registry.list(after === undefined ? { query } : { query, after })
    all.push(...page.instances)
    after = page.next
  } while (after !== undefined)
  return all
}

/** A registry is found at an address, not by its service: what cannot be reached is the registry. */
async function reaching<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (!RpcError.is(thrown) || thrown.code !== 'unavailable') throw thrown
    const why = RpcError.is(thrown.cause) ? thrown.cause.message : thrown.message
    throw new RpcError('unavailable', `the registry cannot be reached: ${why}`, { cause: thrown })
  }
}
