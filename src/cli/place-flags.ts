import { Option } from 'commander'
import { readText } from './settings/read.ts'
import { UsageError } from './usage-error.ts'

/** What `-i`, `-p`, `-m` and `--protocol` were given: the flags of the older clients. */
export interface PlaceFlags {
  readonly host?: string
  readonly port?: number
  readonly mode?: 'server' | 'registry'
  readonly protocol?: string
}

/** These flags, for a command that asks servers, by themselves or through a registry. */
export const placeOptions: readonly Option[] = [
  new Option('-i, --host <host>', 'the server to ask; with -m registry, the registry (default 127.0.0.1)'),
  new Option('-p, --port <port>', 'its port (default 8089; of a registry 9999)').argParser((text) =>
    readText('port', text, '--port'),
  ),
  new Option('-m, --mode <mode>', 'server: ask the one that is named; registry: find them there').choices([
    'server',
    'registry',
  ]),
  new Option('--protocol <name>', 'what to speak, as lab-json; of a registry, only to those that speak it'),
]

/** Reads them from what commander gives. @throws UsageError for a host that is none */
export function placeFlags(flags: Readonly<Record<string, unknown>>): PlaceFlags {
  const { host, port, mode, protocol } = flags as PlaceFlags
  const bare = host?.replace(/^\[(.*)\]$/, '$1')
  if (bare !== undefined && (bare === '' || /[/@\s]|^[^:]*:\d*$/.test(bare))) {
    throw new UsageError(
      `--host should be a host, got '${bare}'`,
      'its port is given with -p, a whole target with --at or --registry',
    )
  }
  return {
    ...(bare !== undefined && { host: bare }),
    ...(port !== undefined && { port }),
    ...(mode !== undefined && { mode }),
    ...(protocol !== undefined && { protocol }),
  }
}

/** The host and port among them; undefined where neither is given. */
export function placeOf({ host, port }: PlaceFlags): Pick<PlaceFlags, 'host' | 'port'> | undefined {
  if (host === undefined && port === undefined) return undefined
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port }) }
}
