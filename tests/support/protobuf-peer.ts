import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { feed, start, type TestProcess } from './process.ts'
import { parseLines } from './python-peer.ts'

const peers = fileURLToPath(new URL('../peers/python/', import.meta.url))
// What `.ci/run` makes; a machine whose own Python has the package needs none of its own.
const pythons = [fileURLToPath(new URL('../../.cache/python/bin/python', import.meta.url)), 'python3']

const found = pythons.find((python) => spawnSync(python, ['-c', 'import google.protobuf']).status === 0)

/**
 * Why the tests with the protobuf peers cannot run here, or false. In CI they must, so there it says false and they fail.
 */
export function noPythonProtobuf(): string | false {
  if (found !== undefined || process.env['CI'] !== undefined) return false
  return 'no Python has the package protobuf here: python3 -m venv .cache/python && .cache/python/bin/pip install protobuf'
}

// In a Python that has protobuf.
function startPython(program: string, args: readonly string[] = []): TestProcess {
  return start(found ?? 'python3', [`${peers}${program}`, ...args])
}

/** A server or registry of these peers; `address` is host:port. */
export type ListeningPeer = TestProcess & { readonly address: string }

/** Starts one that listens, on a port of its own choice. */
export async function startListening(
  program: 'proto_server.py' | 'proto_registry.py',
  args: readonly string[] = [],
): Promise<ListeningPeer> {
  const peer = startPython(program, ['-i', '127.0.0.1', '-p', '0', ...args])
  const [, address = ''] = await peer.line(/listening on (\S+:\d+)/)
  return Object.assign(peer, { address })
}

/** A request that the Python client is to make: a call unless `type` says otherwise. */
export interface Ask {
  readonly type?: 'call' | 'register' | 'discover' | 'heartbeat' | (string & {})
  readonly service?: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly field?: string
  readonly server?: readonly [host: string, port: number]
  /** How many times texts are to be repeated. */
  readonly repeat?: number
  /** Bytes to be sent as they are, in hex. */
  readonly raw?: string
}

/** A response as the Python client shows it. */
export interface Shown {
  readonly type: string
  readonly content: string
  readonly time: string
  readonly servers: readonly { readonly host: string; readonly port: number }[]
  readonly [field: string]: unknown
}

/** Starts the Python client for a server, or with `--discover` for a registry, at host:port. */
export function startProtobufClient(address: string, flags: readonly string[] = []): TestProcess {
  const { hostname, port } = new URL(`http://${address}`)
  return startPython('proto_client.py', ['-i', hostname, '-p', port, ...flags])
}

/** Runs the Python client; gives the responses in the order of the requests. */
export async function askAll(
  target: string | undefined,
  asks: readonly Ask[],
  flags: readonly string[] = [],
): Promise<Shown[]> {
  await using client = startProtobufClient((target ?? '').replace(/^([a-z-]+\+)?tcp:\/\//, ''), flags)
  await feed(
    client,
    asks.map((ask) => JSON.stringify(ask)),
  )
  return parseLines(client.output) as Shown[]
}
