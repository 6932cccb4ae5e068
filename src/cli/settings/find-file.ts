import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../usage-error.ts'

const ours = ['farcall.yaml', 'farcall.yml', 'farcall.config.ts', 'farcall.config.js']
const older = ['config.ini', 'config.yaml']

/**
 * The configuration file of ours that counts in a folder: its own, or that of the nearest folder above.
 * @throws UsageError where a folder has two.
 */
export function findOurs(folder: string): string | undefined {
  for (const place of upwards(folder)) {
    const [found, ...more] = present(place, ours)
    if (found !== undefined && more.length === 0) return found
    if (found !== undefined) {
      throw new UsageError(
        `there are ${more.length + 1} configuration files: ${[found, ...more].join(', ')}`,
        'keep one, or name it with --config',
      )
    }
  }
  return undefined
}

/**
 * What may be the file of an older system, the nearest first: in the folder, or above it, for their programs stand in
 * folders below their file. Further up such names are more likely somebody else's.
 */
export function findOlder(folder: string): string[] {
  return [folder, dirname(folder)].flatMap((place) => present(place, older))
}

function present(folder: string, names: readonly string[]): string[] {
  return names.map((name) => join(folder, name)).filter((path) => existsSync(path))
}

function* upwards(folder: string): Generator<string, void> {
  for (let at = folder; ; at = dirname(at)) {
    yield at
    if (dirname(at) === at) return
  }
}
