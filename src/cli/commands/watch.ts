import { placesOf } from '../../core/places.ts'
import { connectRegistry } from '../ask-registry.ts'
import type { CommandDefinition } from '../define-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { followOlder } from '../follow-older.ts'
import { followRegistry, type Seen } from '../follow-registry.ts'
import { interruptible } from '../interrupt.ts'
import { isOlderRegistry, openOlder } from '../older-registry.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { harmless, paint } from '../output/style.ts'
import { targetOf } from '../target.ts'
import { whileOpen } from '../while-open.ts'

/** `farcall watch` */
export const watch: CommandDefinition = {
  name: 'watch',
  takes: '<service>',
  summary: 'show who offers a service, and each change, until Ctrl-C',
  examples: [
    'farcall watch math --registry registry://127.0.0.1:9999',
    'farcall watch math --json | jq -c .',
  ],
  logLevel: 'error',
  async run(room, [service = '']) {
    const target = targetOf(room.settings)
    Object.assign(room.asked, { where: target.typed, service })
    const [registry = ''] = target.targets
    const show = (event: Seen) =>
      printLine(room.json ? toJson({ at: new Date().toISOString(), ...event }) : line(event, registry))
    const showAll = async (events: AsyncIterable<Seen>) => {
      for await (const event of events) await show(event)
    }
    await whileOpen(interruptible(), ({ signal }) =>
      isOlderRegistry(registry)
        ? whileOpen(openOlder(registry, room.logger), (resolver) =>
            showAll(followOlder(resolver, service, signal)),
          )
        : whileOpen(connectRegistry(registry, room), (client) =>
            showAll(followRegistry(client, service, signal)),
          ),
    )
    // A signal is how it is meant to end.
    return exitCodes.ok
  },
}

function line(event: Seen, registry: string): string {
  const at = paint('dim', new Date().toTimeString().slice(0, 8))
  switch (event.type) {
    case 'watching':
      return `${at}  watching ${registry}: ${event.instances === 0 ? 'nobody is there yet' : `${event.instances} there`}`
    case 'up': {
      const { instance } = event
      const zone = instance.zone === undefined ? '' : `  zone ${instance.zone}`
      const weight = instance.weight === 1 ? '' : `  weight ${instance.weight}`
      const status = instance.suspect === true ? 'suspect' : instance.status
      const sign = status === 'up' ? paint('green', `+ ${status}`) : paint('yellow', `~ ${status}`)
      const places = placesOf(instance.endpoints).map(
        ({ address, protocols }) => `${address} (${protocols.join(', ')})`,
      )
      return `${at}  ${sign.padEnd(8)}  ${harmless(`${instance.id}${zone}${weight}  ${places.join(' ')}`)}`
    }
    case 'gone': {
      const ago =
        event.lastSeenMs === undefined ? '' : `, last seen ${(event.lastSeenMs / 1000).toFixed(1)} s before`
      return `${at}  ${paint('red', '- gone')}  ${harmless(event.id)}  (${event.reason}${ago})`
    }
    case 'lost':
      return `${at}  ${paint('yellow', '! the registry cannot be reached')}; trying again: ${harmless(event.message)}`
  }
}
