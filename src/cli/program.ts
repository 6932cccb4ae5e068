import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { call, sortCallWords } from './commands/call.ts'
import { config } from './commands/config.ts'
import { demo } from './commands/demo.ts'
import { list } from './commands/list.ts'
import { methods } from './commands/methods.ts'
import { registry } from './commands/registry.ts'
import { serve } from './commands/serve.ts'
import { watch } from './commands/watch.ts'
import { createCommand } from './define-command.ts'
import { exitCodes } from './exit-codes.ts'
import { report } from './report.ts'
import { UsageError } from './usage-error.ts'

const commands = [registry, serve, call, list, methods, watch, config, demo]

const start = `
Start here:
  farcall demo                                        see all of it at work
  farcall registry                                    a registry on port 9999
  farcall serve math.ts --registry 127.0.0.1:9999     the services of a module, on port 8089
  farcall call math.add 1 2 --registry 127.0.0.1:9999

farcall <command> --help shows its flags and examples. Flags count before
environment variables (FARCALL_REGISTRY, …), those before farcall.yaml;
farcall config shows what is set and where.`

/**
 * Runs the program with the words that were typed behind its name. It ends the process with one of the documented codes.
 */
export async function runProgram(words: readonly string[]): Promise<void> {
  const json = words.includes('--json')
  // Help is written at once, whether or not somebody reads it to its end.
  process.stdout.on('error', () => {})
  try {
    await createProgram(words).parseAsync([...split(words).words], { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') {
      process.exitCode = exitCodes.usage
      return
    }
    process.exitCode = report(asUsage(thrown), { json })
  }
}

function createProgram(words: readonly string[]): Command {
  const program = new Command('farcall')
    .description('Calls a function on another machine as if it were here.')
    .version(version(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', start)
  for (const definition of commands) {
    const named = definition === call ? split(words).named : undefined
    const shaped =
      named === undefined
        ? definition
        : ({
            ...definition,
            run: (room, rest, flags) => definition.run(room, rest, { ...flags, named }),
          } satisfies typeof definition)
    program.addCommand(createCommand(shaped))
  }
  for (const command of [program, ...program.commands]) {
    // What it would print itself is told like every other error, once, by `report`.
    command.exitOverride().configureOutput({ outputError: () => {} })
  }
  return program
}

/** The arguments of a method have names of their own, which are taken out before the flags are read. */
function split(words: readonly string[]) {
  if (words[0] !== 'call') return { words, named: undefined }
  const { own, list: given, named } = sortCallWords(words.slice(1))
  return { words: ['call', ...own, '--', ...given], named }
}

function asUsage(thrown: unknown): unknown {
  if (!(thrown instanceof CommanderError)) return thrown
  const message = thrown.message
    .replace(/^error: /, '')
    .replace(/\s*\(Did you mean (.*)\?\)/s, '; did you mean $1?')
  return new UsageError(message, 'farcall --help, or farcall <command> --help')
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
