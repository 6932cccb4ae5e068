import { existsSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UsageError } from '../usage-error.ts'
import { explainImport } from './explain-import.ts'

let hooked = false

// A module that stands alone (a first try in an empty folder, npx) has no package `farcall` to import; it gets ours.
function lendFarcall(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (specifier !== 'farcall' && !specifier.startsWith('farcall/')) throw error
        return nextResolve(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}

/**
 * Imports a module of the user's, TypeScript or JavaScript, by Node's own means.
 * @throws UsageError that says in a line or two why it cannot be loaded; the original is its `cause`.
 */
export async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = resolve(path)
  const shown = relative(process.cwd(), file).startsWith('..') ? file : relative(process.cwd(), file)
  if (!existsSync(file)) {
    const guess = ['.ts', '.js', '.mts', '.mjs'].map((end) => path + end).find((one) => existsSync(one))
    const next = guess === undefined ? `the path counts from ${process.cwd()}` : `did you mean ${guess}?`
    throw new UsageError(`there is no file ${shown}`, next)
  }
  if (statSync(file).isDirectory())
    throw new UsageError(`${shown} is a folder`, 'name the module inside of it')
  lendFarcall()
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (thrown) {
    const { message, next } = explainImport(thrown, {
      shown,
      ours: fileURLToPath(new URL('../..', import.meta.url)),
    })
    throw Object.assign(new UsageError(message, next), { cause: thrown })
  }
}
