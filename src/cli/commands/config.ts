import type { CommandDefinition } from '../define-command.ts'
import { exitCodes } from '../exit-codes.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { harmless, paint } from '../output/style.ts'
import { formatTable, terminalWidth } from '../output/table.ts'
import { type Resolved, resolveSettings } from '../settings/resolve.ts'

/** `farcall config` */
export const config: CommandDefinition = {
  name: 'config',
  summary: 'print every setting, its value and where that comes from',
  examples: [
    'farcall config',
    'farcall config --env docker',
    'FARCALL_LOG_LEVEL=debug farcall config --json',
  ],
  logLevel: 'warn',
  async run({ json, sources }) {
    const { all, file, environment, notes } = await resolveSettings(undefined, sources)
    if (json) {
      const values = all.map((one) => ({
        key: one.setting.key,
        value: shown(one) ?? null,
        origin: one.origin,
      }))
      const found = { file: file ?? null, environment: environment ?? null, notes }
      await printLine(toJson({ ...found, settings: values }))
      return exitCodes.ok
    }
    const rows = all.map((one) => [one.setting.key, text(shown(one)), one.origin])
    await printLine(formatTable(['SETTING', 'VALUE', 'FROM'], rows, terminalWidth()))
    const chosen = environment === undefined ? '' : `, environment ${environment}`
    await printLine(
      file === undefined ? 'no configuration file was found from here upwards' : `file: ${file}${chosen}`,
    )
    for (const note of notes) await printLine(paint('dim', harmless(note)))
    return exitCodes.ok
  },
}

function shown({ setting, value }: Resolved): Resolved['value'] {
  return setting.secret === true && value !== undefined ? '(hidden)' : value
}

function text(value: Resolved['value']): string {
  if (value === undefined) return '–'
  if (Array.isArray(value)) return value.join(' ')
  if (typeof value !== 'object') return String(value)
  const pairs = Object.entries(value as Record<string, string>)
  return pairs.length === 0 ? '–' : pairs.map(([name, one]) => `${name}=${one}`).join(',')
}
