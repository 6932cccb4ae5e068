import { Option } from 'commander'
import type { CommandDefinition } from '../define-command.ts'
import { runDemo } from '../demo/run.ts'

/** `farcall demo` */
export const demo: CommandDefinition = {
  name: 'demo',
  summary: 'a registry, three servers and a client at work; one server is killed and comes back',
  examples: ['farcall demo', 'farcall demo --once'],
  logLevel: 'warn',
  options: [new Option('--once', 'end after the tour; the exit code is 0 only if every call was right')],
  run: (_room, _words, flags) => runDemo({ once: flags['once'] === true }),
}
