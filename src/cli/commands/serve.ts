import { type Layer, type Logger, requireToken, serve as serveServices } from '../../node.ts'
import type { CommandDefinition } from '../define-command.ts'
import { loadServices } from '../load/services.ts'
import { logCallsReadably } from '../log-calls.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import type { CommandRoom } from '../room.ts'
import { isOn, numberOf, pairsOf, textOf, textsOf } from '../settings/typed.ts'
import { registriesOf } from '../target.ts'
import { untilStopped } from '../until-stopped.ts'
import { refuseUsage } from '../usage-error.ts'

/** `farcall serve` */
export const serve: CommandDefinition = {
  name: 'serve',
  takes: '<module>',
  summary: 'serve the services that a module exports',
  examples: [
    'farcall serve math.ts',
    'farcall serve math.ts -l :: -p 8089 --registry registry://127.0.0.1:9999',
    'farcall serve math.ts -p 0 --zone berlin --metadata tier=gold',
  ],
  logLevel: 'info',
  async run(room, [path = '']) {
    const { settings, logger, json } = room
    const services = await loadServices(path)
    const advertise = textsOf(settings, 'advertise')
    const protocols = textsOf(settings, 'protocols')
    const graceMs = numberOf(settings, 'graceMs') ?? 30_000
    const server = await serveServices(services, {
      host: textOf(settings, 'listen'),
      port: numberOf(settings, 'port'),
      registry: registriesOf(settings),
      ...(advertise.length > 0 && { advertise }),
      ...(protocols.length > 0 && { protocols }),
      id: textOf(settings, 'id'),
      zone: textOf(settings, 'zone'),
      weight: numberOf(settings, 'weight'),
      adaptWeight: isOn(settings, 'adaptWeight'),
      metadata: pairsOf(settings, 'metadata'),
      drainTimeoutMs: graceMs,
      layers: layersFor(room),
      logger,
    }).catch(refuseUsage)
    if (json) {
      await printLine(toJson({ event: 'listening', id: server.id, targets: server.targets }))
      server.registered.then(() => printLine(toJson({ event: 'registered', id: server.id }))).catch(() => {})
    }
    return untilStopped([server], { room, graceMs })
  },
}

function layersFor({ settings, logger }: CommandRoom): Layer[] {
  const token = textOf(settings, 'token')
  const log = logCallsReadably(logger, 'info', textsOf(settings, 'redact'))
  // Arguments of a stranger are not even decoded, so the refusal is all that there is to log.
  return token === undefined ? [log] : [logRefused(logger), requireToken({ token }), log]
}

function logRefused(logger: Logger): Layer {
  return (next) => (call) => {
    call.onEnd(({ error }) => {
      if (error?.code !== 'unauthenticated') return
      const peer = call.peer?.address ?? 'an unknown peer'
      logger.warn(
        { event: 'unauthenticated', call: call.name, peer },
        `refused ${call.name} of ${peer}: no valid token`,
      )
    })
    return next(call)
  }
}
