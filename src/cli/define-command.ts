import { Command, Option } from 'commander'
import type { LogLevel } from '../node.ts'
import { exitCodes } from './exit-codes.ts'
import { ReaderLeft } from './output/print.ts'
import { report } from './report.ts'
import { type CommandRoom, enter } from './room.ts'
import { type CommandName, longFlag, settingsOf } from './settings/table.ts'

/** One command of the program. */
export interface CommandDefinition {
  readonly name: CommandName
  /** What comes behind the name: `<module>`. */
  readonly takes?: string
  readonly summary: string
  /** Lines for the end of its help. */
  readonly examples: readonly string[]
  /** The level at which it logs where nothing is set. */
  readonly logLevel: LogLevel
  /** Flags that are no settings. */
  readonly options?: readonly Option[]
  /** Does it. Gives the exit code; what it throws is reported. */
  run(room: CommandRoom, words: readonly string[], flags: Readonly<Record<string, unknown>>): Promise<number>
}

/** The flags that every command has beside its settings. */
export function commonOptions(): readonly Option[] {
  return [
    new Option('--json', 'print JSON, for programs'),
    new Option('--config <file>', 'the configuration file; default: the first found from here upwards'),
    new Option(
      '--env <name>',
      'the environment of that file whose settings count before the others, as docker',
    ),
  ]
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

/** Makes the command as commander knows it. */
export function createCommand(definition: CommandDefinition): Command {
  const { name, takes, summary, examples, options = [] } = definition
  const command = new Command(name).summary(summary).description(summary)
  if (takes !== undefined) command.arguments(takes)
  for (const setting of settingsOf(name)) {
    const fallback = setting.fallback === undefined ? '' : ` (default ${setting.fallback})`
    const option = new Option(setting.flags, `${setting.about}${fallback}`)
    command.addOption(setting.kind === 'switch' ? option : option.argParser(collect))
    if (setting.alias === undefined) continue
    const alias = new Option(setting.alias, `the same as ${longFlag(setting)}`).argParser(collect)
    command.addOption(alias.conflicts(option.attributeName()))
  }
  for (const option of options) command.addOption(option)
  for (const option of commonOptions()) command.addOption(option)
  command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
  command.action(async () => {
    const flags = command.opts()
    await end(await run(definition, command.args, flags))
  })
  return command
}

async function run(
  definition: CommandDefinition,
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  const json = flags['json'] === true
  const sources = {
    flags: typedFlags(definition.name, flags),
    env: process.env,
    cwd: process.cwd(),
    config: flags['config'] as string | undefined,
    environment: flags['env'] as string | undefined,
  }
  let room: CommandRoom | undefined
  try {
    room = await enter(definition.name, { sources, json }, definition.logLevel)
    return await definition.run(room, words, flags)
  } catch (thrown) {
    if (thrown instanceof ReaderLeft) return exitCodes.ok
    const debug = room?.logger.isLevelEnabled?.('debug') ?? false
    return report(thrown, { json, debug, ...room?.asked })
  } finally {
    await room?.logger.close()
  }
}

/** What was typed for each setting, by the long flag. */
function typedFlags(name: CommandName, flags: Readonly<Record<string, unknown>>) {
  const typed = new Map<string, readonly string[]>()
  for (const { flags: own, alias } of settingsOf(name)) {
    // Commander lets only one of the two through.
    const [value] = [own, ...(alias === undefined ? [] : [alias])]
      .map((one) => flags[new Option(one).attributeName()])
      .filter((one) => one !== undefined)
    if (Array.isArray(value)) typed.set(longFlag({ flags: own }).slice(2), value as readonly string[])
    else if (value === true) typed.set(longFlag({ flags: own }).slice(2), ['true'])
  }
  return typed
}

// Not before all is written; but something that still listens (stdin, a module's own timer) does not hold it up.
async function end(code: number): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((resolve) => void stream.write('', () => resolve())),
    ),
  )
  process.exit(code)
}
