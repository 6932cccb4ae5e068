import { Option } from 'commander'
import { nearest } from '../../core/nearest.ts'
import { protocolOf } from '../ask-methods.ts'
import { checkRegistry } from '../ask-registry.ts'
import { type BroadcastResult, type CallOptions, connect, type FarcallClient, sendToken } from '../../node.ts'
import { describedAt } from '../call/described-at.ts'
import { namePositions } from '../call/name-positions.ts'
import { printBroadcast, printReply } from '../call/print-reply.ts'
import { type ReadOptions, readArgument } from '../call/read-argument.ts'
import { type OwnFlag, type SplitArguments, splitArguments } from '../call/split-arguments.ts'
import { stdinItems } from '../call/stdin-items.ts'
import { type CommandDefinition, commonOptions } from '../define-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Interruptible, interruptible } from '../interrupt.ts'
import { logCallsReadably } from '../log-calls.ts'
import { placeFlags, placeOptions } from '../place-flags.ts'
import type { CommandRoom } from '../room.ts'
import { readPairs } from '../settings/read.ts'
import { settingsOf } from '../settings/table.ts'
import { numberOf, textOf, textsOf } from '../settings/typed.ts'
import { type Target, targetOf } from '../target.ts'
import { fromUser, UsageError } from '../usage-error.ts'
import { whileOpen } from '../while-open.ts'

const collect = (value: string, before: readonly string[] = []) => [...before, value]
const ownOptions = [
  ...placeOptions,
  new Option('--broadcast', 'call every instance, and print what each of them answers'),
  new Option('--metadata <key=value>', 'goes with the call; may be repeated').argParser(collect),
  new Option('--instance <id>', 'the only instance that may answer'),
]

/** `farcall call` */
export const call: CommandDefinition = {
  name: 'call',
  takes: '<method> [args...]',
  summary: 'call a method: arguments by position, or by name as --name value',
  examples: [
    'farcall call math.add 1 2 --at tcp://127.0.0.1:8089',
    'farcall call math.add --a 1 --b 2 --registry registry://127.0.0.1:9999',
    'farcall call add 1 2 -i 127.0.0.1 -p 8089 --protocol lab-json',
    'farcall call Foo.Sum \'{"Num1":1,"Num2":2}\' -p 9999 --protocol geerpc',
    'farcall call text.count \'{"text":"to be"}\' --json',
    'seq 1 100 | farcall call math.total -     # - is stdin as a stream, by line',
    'farcall call math.add 1 2 --broadcast     # every instance',
    'farcall call jobs.start --arg.timeout 5   # an argument named like a flag',
    'farcall call text.upper -- --like-this    # behind -- all are positions',
  ],
  logLevel: 'error',
  options: ownOptions,
  async run(room, words, flags) {
    const [name = '', ...texts] = words
    const named = (flags['named'] ?? new Map()) as SplitArguments['named']
    const { service, method } = splitName(name)
    const target = targetOf(room.settings, placeFlags(flags))
    Object.assign(room.asked, {
      where: target.typed,
      service: service || undefined,
      misspelt: misspelt(named),
    })
    const given = readAll(texts, named, { floats: isGo(target) })
    // A client waits for a registry that is down; who types a command would rather know.
    if (target.kind === 'registry') await checkRegistry(target.targets[0] as string, room)
    const open = () => fromUser(() => connect(only(target), clientOptions(room, target)))
    return await whileOpen(interruptible(), async (interrupt) => {
      try {
        return await whileOpen(open(), (client) =>
          carryOut({ client, service, method, given, room, interrupt, flags }),
        )
      } catch (thrown) {
        if (interrupt.code !== undefined) return interrupt.code
        throw thrown
      }
    })
  },
}

interface Asking {
  readonly client: FarcallClient
  readonly service: string
  readonly method: string
  readonly given: Given
  readonly room: CommandRoom
  readonly interrupt: Interruptible
  readonly flags: Readonly<Record<string, unknown>>
}

type Method = (...args: unknown[]) => PromiseLike<unknown>
type Methods = Readonly<Record<string, Method>>

async function carryOut(asking: Asking): Promise<number> {
  const { client, service, method, room, interrupt, flags } = asking
  const args = await finalArguments(asking)
  const options = callOptions(room, interrupt.signal, flags)
  const plain = client.service(service).$with(options)
  const view = flags['broadcast'] === true ? plain.$broadcast() : plain
  const byName = args.named.size > 0
  const methods = (byName ? (view as typeof plain).$named : view) as unknown as Methods
  const chosen = methods[method] as Method
  const reply = await (byName ? chosen(args.named) : chosen(...args.list))
  if (flags['broadcast'] === true) {
    const all = await printBroadcast(reply as BroadcastResult<unknown>[], room.json)
    return all ? exitCodes.ok : exitCodes.failed
  }
  await printReply(reply, room.json)
  return interrupt.code ?? exitCodes.ok
}

/** Those that were typed; where some have names and some have not, the server is asked for the others' names. */
async function finalArguments({ client, service, method, given, room }: Asking): Promise<Given> {
  if (given.named.size === 0 || given.list.length === 0) return given
  const described = await describedAt({ client, service, method, room })
  const full = service === '' ? method : `${service}.${method}`
  return { list: [], named: namePositions(full, described, given) }
}

function callOptions(
  room: CommandRoom,
  signal: AbortSignal,
  flags: Readonly<Record<string, unknown>>,
): CallOptions {
  const timeoutMs = numberOf(room.settings, 'timeoutMs')
  const instance = flags['instance'] as string | undefined
  return {
    signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(instance !== undefined && { instance }),
    metadata: readPairs((flags['metadata'] ?? []) as readonly string[], '--metadata'),
  }
}

function clientOptions({ settings, logger }: CommandRoom, { kind, protocol }: Target) {
  const token = textOf(settings, 'token')
  const log = logCallsReadably(logger, 'debug', textsOf(settings, 'redact'))
  // A failed call is told as the command's own error, so the log has it only where somebody looks for it.
  const layers = logger.isLevelEnabled?.('debug') === true ? [log] : []
  // Servers that are named have it in their targets.
  const protocols = kind === 'registry' && protocol !== undefined ? [protocol] : undefined
  return {
    logger,
    layers: token === undefined ? layers : [...layers, sendToken(token)],
    ...(protocols !== undefined && { protocols }),
  }
}

interface Given {
  readonly list: readonly unknown[]
  readonly named: ReadonlyMap<string, unknown>
}

function readAll(texts: readonly string[], named: SplitArguments['named'], options: ReadOptions): Given {
  const streams = [...texts, ...named.values()].filter((text) => text === '-').length
  if (streams > 1) throw new UsageError('only one argument can be the stream from stdin (-)')
  const read = (text: string | true) =>
    text === '-' ? stdinItems() : text === true ? true : readArgument(text, options)
  return {
    list: texts.map(read),
    named: new Map([...named].map(([name, text]) => [name, read(text)])),
  }
}

/** A method without a service is the one that has such a method: the server looks for it. */
function splitName(name: string): { service: string; method: string } {
  const at = name.lastIndexOf('.')
  if (at === -1 && name !== '') return { service: '', method: name }
  if (at > 0 && at < name.length - 1) return { service: name.slice(0, at), method: name.slice(at + 1) }
  throw new UsageError(
    `'${name}' is no method: it should be service.method`,
    'for example: farcall call math.add 1 2; farcall methods lists what there is',
  )
}

// Go's types tell an integer from a float.
function isGo({ kind, targets: [first = ''], protocol }: Target): boolean {
  return /^(geerpc|myrpc|net-rpc)/.test(protocol ?? (kind === 'at' ? protocolOf(first) : first))
}

function only({ kind, targets }: Target): string | readonly string[] {
  return kind === 'registry' ? (targets[0] as string) : targets
}

/** The flags that `farcall call` has itself; all others are arguments of the method. */
export function callFlags(): readonly OwnFlag[] {
  const own = [
    ...settingsOf('call').map(({ flags }) => new Option(flags)),
    ...ownOptions,
    ...commonOptions(),
    new Option('-h, --help'),
  ]
  return own.map(({ long, short, required }) => ({
    names: [long, short].filter((name): name is string => typeof name === 'string'),
    takesValue: required,
  }))
}

/** Sorts what was typed behind `farcall call`. @throws UsageError */
export function sortCallWords(words: readonly string[]): SplitArguments {
  return splitArguments(words, callFlags())
}

function misspelt(named: SplitArguments['named']): [string, string][] {
  const flags = callFlags().flatMap(({ names }) => names.filter((name) => name.startsWith('--')))
  return [...named.keys()].flatMap((name): [string, string][] => {
    const [near] = nearest(`--${name}`, flags, 1)
    return near === undefined || near === `--${name}` ? [] : [[`--${name}`, near]]
  })
}
