import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of package.json. */
export const root: string = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** Scratch space of the checks; git ignores it. */
export const cacheDir: string = join(root, '.cache')

/** What makes Node and tsc read `src/` where others read `dist/`, so that a checkout needs no build. */
export const sourceCondition = '--conditions=@farcall/source'

/** The command that runs a package's program, on any system: its script is started by this very Node. */
export function tool(packageName: string, args: readonly string[]): [string, string[]] {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: string | Record<string, string>
  }
  const script = typeof bin === 'string' ? bin : Object.values(bin)[0]
  if (script === undefined) throw new Error(`${packageName} has no program`)
  return [process.execPath, [join(folder, script), ...args]]
}

/** The command that runs the TypeScript compiler. */
export function tsc(args: readonly string[]): [string, string[]] {
  return tool('typescript', args)
}

/** Files below `folder` that match one of the patterns, sorted, with forward slashes. */
export function findFiles(folder: string, patterns: readonly string[]): string[] {
  const found = globSync([...patterns], { cwd: folder, exclude: (path) => path === 'node_modules' })
  return found.map((path) => path.split(sep).join('/')).sort()
}
