import { startRegistry } from '../../node.ts'
import type { CommandDefinition } from '../define-command.ts'
import { facesOf } from '../face-settings.ts'
import { httpOf } from '../http-settings.ts'
import { protocolsOf } from '../known-names.ts'
import { logCallsReadably } from '../log-calls.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { numberOf, textOf } from '../settings/typed.ts'
import { untilStopped } from '../until-stopped.ts'
import { refuseUsage } from '../usage-error.ts'

// A registry's calls are short, and its watches end at once: nothing is worth waiting for.
const graceMs = 2_000

/** `farcall registry` */
export const registry: CommandDefinition = {
  name: 'registry',
  summary: 'start a registry, where servers announce themselves and clients find them',
  examples: [
    'farcall registry',
    'farcall registry -l :: -p 9999',
    'farcall registry --log-file registry.log',
    'farcall registry --allow private --allow 192.0.2.0/24 --lease json=30000',
    'farcall registry --faces none --protocols farcall',
  ],
  logLevel: 'info',
  async run(room) {
    const { settings, logger, json } = room
    const started = await startRegistry({
      host: textOf(settings, 'listen'),
      port: numberOf(settings, 'port'),
      faces: facesOf(settings),
      protocols: protocolsOf(settings),
      http: httpOf(settings),
      logger,
      // Mostly renewals; what matters of them the registry says itself.
      layers: [logCallsReadably(logger, 'debug')],
    }).catch(refuseUsage)
    if (json) await printLine(toJson({ event: 'listening', id: started.server.id, targets: started.targets }))
    return untilStopped([started], { room, graceMs })
  },
}
