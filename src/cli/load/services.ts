import type { Service } from '../../node.ts'
import { UsageError } from '../usage-error.ts'
import { importModule } from './import-module.ts'

/**
 * The services that a module exports: each export, its default, and the elements of arrays.
 * @throws UsageError for a module that cannot be loaded, or has no service.
 */
export async function loadServices(path: string): Promise<readonly Service[]> {
  const module = await importModule(path)
  const values = Object.values(module).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]))
  // The same one may be exported by name and as the default.
  const services = [...new Set(values.filter(isService))]
  if (services.length > 0) return services
  throw noService(path, module)
}

function isService(value: unknown): value is Service {
  if (typeof value !== 'object' || value === null) return false
  const { name, methods } = value as Partial<Service>
  return typeof name === 'string' && methods instanceof Map
}

function noService(path: string, module: Readonly<Record<string, unknown>>): UsageError {
  const names = Object.keys(module)
  const functions = names.filter((name) => typeof module[name] === 'function' && name !== 'default')
  const has = names.length === 0 ? 'it exports nothing' : `it exports ${names.slice(0, 8).join(', ')}`
  const members =
    functions.length === 0 ? 'add: (a: number, b: number) => a + b' : functions.slice(0, 4).join(', ')
  const name = /([A-Za-z_]\w*)(?:\.\w+)+$/.exec(path)?.[1] ?? 'math'
  return new UsageError(
    `${path} exports no service; ${has}`,
    `add: export const ${name} = service('${name}', { ${members} })   with: import { service } from 'farcall'`,
  )
}
