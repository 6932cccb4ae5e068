import { type MethodDescription, RpcError, type ServiceDescription } from '../../node.ts'
import { isInternalName } from '../../core/names.ts'
import { askMethods, hasBareNames, protocolOf } from '../ask-methods.ts'
import { hasNobody, listInstances, queryFor } from '../ask-registry.ts'
import { askServers } from '../ask-servers.ts'
import type { CommandDefinition } from '../define-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { harmless, paint } from '../output/style.ts'
import { cut, terminalWidth } from '../output/table.ts'
import { placeFlags, placeOptions } from '../place-flags.ts'
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
    'farcall methods -i 127.0.0.1 -p 8089 --protocol lab-json',
  ],
  logLevel: 'error',
  options: placeOptions,
  async run(room, [service], flags) {
    const target = targetOf(room.settings, placeFlags(flags))
    room.asked.where = target.typed
    const questions =
      target.kind === 'registry' ? await whomToAsk(target, room, service) : [{ at: target.targets, service }]
    const answers = await Promise.all(questions.map((question) => ask(question, room)))
    const found = answers.flat()
    if (room.json) await printLine(toJson(found.map((one) => one.service)))
    else for (const [at, one] of found.entries()) await printService(one, at > 0)
    return exitCodes.ok
  },
}

/** One server, and what it is asked for; it may be reached at several addresses. */
interface Question {
  readonly at: readonly string[]
  /** Undefined: all that it has. */
  readonly service: string | undefined
}

interface Answer {
  readonly at: string
  readonly service: ServiceDescription
}

async function ask({ at, service }: Question, room: CommandRoom): Promise<readonly Answer[]> {
  const [first = ''] = at
  const services = await askServers(at, room, (client) => askMethods(client, first, service))
  return services.map((one) => ({ at: first, service: one }))
}

/** One instance for each service that the registry knows of; each one that has not said what it offers. */
async function whomToAsk(
  { targets: [registry = ''], protocol }: Target,
  room: CommandRoom,
  service: string | undefined,
): Promise<readonly Question[]> {
  const query = queryFor(service, protocol)
  const instances = await listInstances(registry, room, query)
  // By what is asked, so that nobody is asked the same twice.
  const questions = new Map<string, Question>()
  for (const { services, endpoints } of instances) {
    const at = endpoints.find((text) => protocol === undefined || protocolOf(text) === protocol) ?? ''
    // An older server tells all that it has, or nothing.
    const whole = services.length === 0 || hasBareNames(protocolOf(at))
    if (whole) questions.set(at, { at: [at], service: undefined })
    for (const { name } of whole ? [] : services) {
      const isWanted = service === undefined ? !isInternalName(name) : name === service
      if (isWanted && !questions.has(name)) questions.set(name, { at: [at], service: name })
    }
  }
  if (questions.size > 0) return [...questions.values()]
  throw new RpcError('not_found', hasNobody(registry, query))
}

async function printService({ at, service }: Answer, below: boolean): Promise<void> {
  const { name, version, methods: all } = service
  if (below) await printLine('')
  // Where methods have no service, they are those of the server.
  const title = name === '' ? at : version === undefined ? name : `${name} ${version}`
  await printLine(paint('bold', harmless(title)))
  const wide = Math.max(...all.map((one) => callable(one).length))
  for (const one of all) {
    const notes = traits(one).join(' · ')
    const line = `  ${harmless(callable(one)).padEnd(wide)}  ${paint('dim', harmless(notes))}`
    await printLine(cut(line.trimEnd(), terminalWidth()))
  }
}

function callable({ signature }: MethodDescription): string {
  return signature
}

// Peers that know no "left out" send an empty text and zero.
function traits({
  input,
  output,
  idempotent,
  timeoutMs = 0,
  errors = [],
  doc = '',
}: MethodDescription): string[] {
  return [
    ...(input === 'stream' ? ['takes a stream'] : []),
    ...(output === 'stream' ? ['gives a stream'] : []),
    ...(idempotent ? ['idempotent'] : []),
    ...(timeoutMs === 0 ? [] : [`at most ${timeoutMs} ms`]),
    ...(errors.length === 0 ? [] : [`errors: ${errors.join(', ')}`]),
    ...(doc === '' ? [] : [doc]),
  ]
}
