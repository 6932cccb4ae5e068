import type { RpcError } from '../../core/error.ts'
import { noRegistry, parseHosts } from '../registry-target.ts'

/** Where an older registry is, and what its target says of how it is to be used. */
export interface OlderTarget {
  /** As the user wrote it, for messages. */
  readonly text: string
  /** Several are addresses of one registry. */
  readonly hosts: readonly [HostPort, ...HostPort[]]
  /** Empty where none was named. */
  readonly path: string
  readonly options: ReadonlyMap<string, string>
}

/** One address of a registry. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** What the targets of one kind of registry look like. */
export interface TargetForm {
  /** For the error about a target that cannot be read. */
  readonly example: string
  readonly hasPath: boolean
  /** The options that may follow after `?`. */
  readonly options: readonly string[]
}

/**
 * Reads `scheme://host:port[,host:port…][/path][?option=value&…]`.
 * @throws RpcError `invalid_argument` that says what is wrong and shows the right form.
 */
export function parseOlderTarget(text: string, form: TargetForm): OlderTarget {
  const wrong = (why: string, cause?: unknown): RpcError => noRegistry(text, form.example, why, cause)
  const match = /^[a-z][a-z+-]*:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(text)
  const [, list = '', written = '', query = ''] = match ?? []
  const [first, ...others] = parseHosts(list, wrong)
  if (first === undefined) throw wrong('')
  const path = written === '/' ? '' : written
  if (path !== '' && !form.hasPath) throw wrong(`: it has the path '${path.slice(0, 100)}', and takes none`)
  if (/[^\x21-\x7e]/.test(path)) throw wrong(': its path has characters that a path cannot have')
  const options = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (!form.options.includes(name))
      throw wrong(`: it has no option '${name.slice(0, 64)}' (known: ${form.options.join(', ')})`)
    if (options.has(name)) throw wrong(`: the option '${name}' is given twice`)
    options.set(name, value)
  }
  return { text, hosts: [first, ...others], path, options }
}
