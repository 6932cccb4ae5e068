import { offeredNames } from '../../core/instance.ts'
import { isInternalName } from '../../core/names.ts'
import { placesOf } from '../../core/places.ts'
import type { InstanceData } from '../../discovery/api/instance-data.ts'
import { askMethods } from '../ask-methods.ts'
import { hasNobody, listInstances, queryFor } from '../ask-registry.ts'
import { askServers } from '../ask-servers.ts'
import type { CommandDefinition } from '../define-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { harmless, paint } from '../output/style.ts'
import { formatTable, terminalWidth } from '../output/table.ts'
import { placeFlags, placeOptions } from '../place-flags.ts'
import type { CommandRoom } from '../room.ts'
import { type Target, targetOf } from '../target.ts'

/** `farcall list` */
export const list: CommandDefinition = {
  name: 'list',
  takes: '[service]',
  summary: 'list the instances that a registry has, or the services of a server',
  examples: [
    'farcall list --registry registry://127.0.0.1:9999',
    'farcall list math --registry registry://127.0.0.1:9999',
    'farcall list --registry geerpc-registry+http://127.0.0.1:9999',
    'farcall list --at tcp://127.0.0.1:8089',
    'farcall list -i 127.0.0.1 -p 8089',
    'farcall list --json | jq .instances',
  ],
  logLevel: 'error',
  options: placeOptions,
  async run(room, [service], flags) {
    const target = targetOf(room.settings, placeFlags(flags))
    room.asked.where = target.typed
    await (target.kind === 'registry'
      ? listRegistry(target, room, service)
      : listServers(target, room, service))
    return exitCodes.ok
  },
}

async function listRegistry(target: Target, room: CommandRoom, service: string | undefined): Promise<void> {
  const [registry = ''] = target.targets
  const startedAt = performance.now()
  const query = queryFor(service, target.protocol)
  const instances = await listInstances(registry, room, query)
  const tookMs = performance.now() - startedAt
  if (room.json) return await printLine(toJson({ registry, instances }))
  if (instances.length === 0) {
    await printLine(harmless(hasNobody(registry, query)))
    console.error(`  next: farcall serve module.ts --registry ${registry}`)
    return
  }
  // Where all weigh the same there is nothing to see.
  const weighs = instances.some(({ weight }) => weight !== 1)
  const head = [
    'INSTANCE',
    'STATUS',
    'ZONE',
    ...(weighs ? ['WEIGHT'] : []),
    'STARTED',
    'ADDRESS',
    'SERVICES',
    'PROTOCOLS',
  ]
  const rows = instances.flatMap((instance) => rowsOf(instance, weighs))
  await printLine(formatTable(head, rows, terminalWidth()))
  const count = `${instances.length} instance${instances.length === 1 ? '' : 's'}`
  await printLine(paint('dim', `${count}, as ${registry} answered just now, in ${tookMs.toFixed(1)} ms`))
}

/** A line for each address of an instance; most have one. */
function rowsOf(instance: InstanceData, weighs: boolean): string[][] {
  const status = instance.suspect === true ? 'suspect' : instance.status
  const services = instance.services
    .filter(({ name }) => !isInternalName(name))
    .map((entry) => `${offeredNames(entry).join(', ')} ${entry.version ?? ''}`.trimEnd())
  const about = [
    instance.id,
    status,
    instance.zone ?? '–',
    ...(weighs ? [String(instance.weight)] : []),
    since(instance.incarnation),
  ]
  return placesOf(instance.endpoints).map(({ address, protocols }, at) => {
    const [id = '', state = '', ...more] = (at === 0 ? about : about.map(() => '')).map(harmless)
    const places = [address, at === 0 ? services.join(', ') || '–' : '', protocols.join(', ')].map(harmless)
    return [id, paint(status === 'up' ? 'green' : 'yellow', state), ...more, ...places]
  })
}

// A Farcall server's incarnation is the time at which it started; others may count differently.
function since(incarnation: number): string {
  const seconds = Math.round((Date.now() - incarnation) / 1000)
  if (incarnation < 1e12 || seconds < 0) return '–'
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h ago` : `${Math.round(seconds / 86_400)} d ago`
}

async function listServers(target: Target, room: CommandRoom, service: string | undefined): Promise<void> {
  const ask = async (at: string) => ({
    at,
    services: await askServers(at, room, (one) => askMethods(one, at, service)),
  })
  const answers = await Promise.all(target.targets.map(ask))
  if (room.json) return await printLine(toJson({ servers: answers }))
  const rows = answers.flatMap(({ at, services }) =>
    services.map(({ name, version, methods }) => [
      at,
      harmless(name || '–'),
      harmless(version ?? '–'),
      harmless(methods.map((method) => method.name).join(', ')),
    ]),
  )
  await printLine(formatTable(['SERVER', 'SERVICE', 'VERSION', 'METHODS'], rows, terminalWidth()))
}
