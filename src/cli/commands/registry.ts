import { type FacesOptions, startRegistry } from '../../node.ts'
import type { CommandDefinition } from '../define-command.ts'
import { logCallsReadably } from '../log-calls.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { numberOf, textOf, textsOf } from '../settings/typed.ts'
import { untilStopped } from '../until-stopped.ts'
import { refuseUsage, UsageError } from '../usage-error.ts'

// A registry's calls are short, and its watches end at once: nothing is worth waiting for.
const graceMs = 2_000

/** `farcall registry` */
export const registry: CommandDefinition = {
  name: 'registry',
  summary: 'start a registry, where servers announce themselves and clients find them',
  examples: [
    'farcall registry',
    'farcall registry -l :: -p 9999',
    'farcall registry --face json --face header',
    'farcall registry --log-file registry.log',
  ],
  logLevel: 'info',
  async run(room) {
    const { settings, logger, json } = room
    const started = await startRegistry({
      host: textOf(settings, 'listen'),
      port: numberOf(settings, 'port'),
      faces: readFaces(textsOf(settings, 'faces')),
      logger,
      // Mostly renewals; what matters of them the registry says itself.
      layers: [logCallsReadably(logger, 'debug')],
    }).catch(refuseUsage)
    if (json) await printLine(toJson({ event: 'listening', id: started.server.id, targets: started.targets }))
    return untilStopped([started], { room, graceMs })
  },
}

function readFaces(names: readonly string[]): FacesOptions | false {
  const known = ['json', 'header', 'protobuf'] as const
  if (names.length === 0) return {}
  if (names.length === 1 && names[0] === 'none') return false
  const wrong = names.find((name) => !known.some((one) => one === name))
  if (wrong !== undefined)
    throw new UsageError(`a face is ${known.join(', ')}, or none by itself, got '${wrong}'`)
  return Object.fromEntries(known.map((name) => [name, names.includes(name) ? {} : false]))
}
