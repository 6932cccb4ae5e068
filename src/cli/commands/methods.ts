import { type MethodDescription, RpcError, type ServiceDescription } from '../../node.ts'
import { askMethods } from '../ask-methods.ts'
import { listInstances } from '../ask-registry.ts'
import { askServers } from '../ask-servers.ts'
import type { CommandDefinition } from '../define-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { harmless, paint } from '../output/style.ts'
import { cut, terminalWidth } from '../output/table.ts'
import type { CommandRoom } from '../room.ts'
import { type Target, targetOf } from '../target.ts'

/** `farcall methods` */
export const methods: CommandDefinition = {
  name: 'methods',
  takes: '[service]',
  summary: 'show the methods of a service, or of all: parameters, defaults, what streams',
  examples: [
    'farcall methods --at tcp://127.0.0.1:8089',
    'farcall methods math --registry registry://127.0.0.1:9999',
  ],
  logLevel: 'error',
  async run(room, [service]) {
    const target = targetOf(room.settings)
    room.asked.where = target.typed
    const found =
      target.kind === 'registry'
        ? await throughRegistry(target, room, service)
        : await askOne(target.targets, room, service)
    if (room.json) await printLine(toJson(found))
    else for (const [at, one] of found.entries()) await printService(one, at > 0)
    return exitCodes.ok
  },
}

function askOne(at: string | readonly string[], room: CommandRoom, service: string | undefined) {
  return askServers(at, room, (client) => askMethods(client, service))
}

/** Asks one instance for each service that the registry knows of. */
async function throughRegistry(
  { targets: [registry = ''] }: Target,
  room: CommandRoom,
  service: string | undefined,
): Promise<readonly ServiceDescription[]> {
  const instances = await listInstances(registry, room, service === undefined ? {} : { service })
  const wanted = new Map<string, string>()
  for (const { services, endpoints } of instances) {
    for (const { name } of services) {
      const isWanted = service === undefined ? !name.startsWith('farcall.') : name === service
      if (isWanted && !wanted.has(name)) wanted.set(name, endpoints[0] ?? '')
    }
  }
  if (wanted.size === 0) {
    const what = service === undefined ? 'no instances' : `no instance of '${service}'`
    throw new RpcError('not_found', `${registry} has ${what}`)
  }
  const found = [...wanted].map(([name, endpoint]) => askOne(endpoint, room, name))
  return (await Promise.all(found)).flat()
}

async function printService(
  { name, version, methods: all }: ServiceDescription,
  below: boolean,
): Promise<void> {
  if (below) await printLine('')
  const title = harmless(version === undefined ? name : `${name} ${version}`)
  await printLine(paint('bold', title))
  const wide = Math.max(...all.map((one) => callable(one).length))
  for (const one of all) {
    const notes = [...traits(one), ...(one.doc === undefined ? [] : [one.doc])].join(' · ')
    const line = `  ${harmless(callable(one)).padEnd(wide)}  ${paint('dim', harmless(notes))}`
    await printLine(cut(line.trimEnd(), terminalWidth()))
  }
}

function callable({ signature }: MethodDescription): string {
  return signature
}

function traits({ input, output, idempotent, timeoutMs, errors = [] }: MethodDescription): string[] {
  return [
    ...(input === 'stream' ? ['takes a stream'] : []),
    ...(output === 'stream' ? ['gives a stream'] : []),
    ...(idempotent ? ['idempotent'] : []),
    ...(timeoutMs === undefined ? [] : [`at most ${timeoutMs} ms`]),
    ...(errors.length === 0 ? [] : [`errors: ${errors.join(', ')}`]),
  ]
}
