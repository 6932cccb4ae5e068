import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  createFarcall,
  type Farcall,
  type FarcallClient,
  RpcError,
  type Server,
  type Service,
  service,
  silentLogger,
} from 'farcall'
import { nodeParts } from '../../src/node.ts'
import { createLabProtobufProtocol } from '../../src/protocols/lab-protobuf/index.ts'
import { eventually } from './go-peer.ts'
import { farcall } from './older-systems.ts'
import { askByLines, feed, start, type TestProcess } from './process.ts'
import { askAll, startListening } from './protobuf-peer.ts'
import { parseLines } from './python-peer.ts'

// The systems of the documents 000 and 001 (JSON) and 002 (protobuf): a registry, servers that register with it, and a
// client of theirs. Each part is made by a function, so that any of them can be ours and the others are not told.

/** A part that runs, at `host:port`. */
export interface Part extends AsyncDisposable {
  readonly address: string
}

export type StartRegistry = () => Promise<Part>
export type StartServer<S extends AsyncDisposable = AsyncDisposable> = (registry: string) => Promise<S>
/** What a registry is to us: the target for its address. */
export type TargetOf = (registry: string) => string

/** A call that a client is to make, by position or by name. */
export interface Asked {
  readonly method: string
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
}

/** Makes calls, one after the other or each by a client of its own; gives the results, of a failure its text. */
export type RunClient = (
  registry: string,
  asks: readonly Asked[],
  atOnce?: boolean,
) => Promise<readonly unknown[]>

const peers = fileURLToPath(new URL('../peers/python/', import.meta.url))
const moreProto = readFileSync(`${peers}more.proto`, 'utf8')
const beats = 'heartbeatMs=200&pollMs=100'

/** Registries of ours are asked in our own way, or in the older ones, with periods that a test can wait for. */
export const own: TargetOf = (registry) => `registry://${registry}`
export const overHttp: TargetOf = (registry) => `lab-registry+http://${registry}?${beats}`
export const overTcp: TargetOf = (registry) => `lab-registry+tcp://${registry}?${beats}`

/** What a registry tells of one server. */
export interface Entry {
  readonly host: string
  readonly port: number
  readonly parameters: Readonly<Record<string, string>>
}

/** Who speaks a protocol, as an HTTP registry tells. */
export async function findEntries(registry: string, proto = 'json'): Promise<readonly Entry[]> {
  const response = await fetch(`http://${registry}/myRegistry/findAllInstances?proto=${proto}`)
  return (await response.json()) as Entry[]
}

/** The registry in Python with JSON. */
export async function labRegistry(...flags: readonly string[]): Promise<TestProcess & Part> {
  const process = start('python3', [`${peers}lab_registry.py`, '-l', '127.0.0.1', '-p', '0', ...flags])
  const [, address = ''] = await process.line(/listening on (\S+:\d+)/)
  return Object.assign(process, { address })
}

/** A server in Python with JSON, which says that it is at 0.0.0.0; resolves when the registry has it. */
export async function labServer(registry: string, ...flags: readonly string[]): Promise<TestProcess & Part> {
  const args = [`${peers}lab_server.py`, '-p', '0', '-r', registry, '--heartbeat', '0.2', ...flags]
  const process = start('python3', args)
  const [, address = ''] = await process.line(/listening on (\S+:\d+)/)
  await eventually(async () => {
    const entries = await findEntries(registry)
    if (!entries.some(({ port }) => address.endsWith(`:${port}`))) throw new Error('it is not registered')
  })
  return Object.assign(process, { address })
}

/** The client in Python with JSON. */
export const labClient: RunClient = async (registry, asks, atOnce = false) => {
  const flags = ['-m', 'registry', '-r', registry, ...(atOnce ? ['--at-once'] : [])]
  await using client = start('python3', [`${peers}lab_client.py`, ...flags])
  await feed(
    client,
    asks.map((ask) => JSON.stringify(ask)),
  )
  return parseLines(client.output).map(({ value, message }) => message ?? value)
}

/** One client in Python with JSON that is asked again and again, and hears of changes every 100 ms. */
export function startLabClient(registry: string) {
  const flags = ['-m', 'registry', '-r', registry, '--poll', '0.1']
  const ask = askByLines(start('python3', [`${peers}lab_client.py`, ...flags]))
  return {
    async add(a: number, b: number): Promise<unknown> {
      const answer = await ask({ method: 'add', args: [a, b] })
      if (answer['type'] !== 'result') throw new Error(JSON.stringify(answer))
      return answer['value']
    },
    [Symbol.asyncDispose]: ask[Symbol.asyncDispose],
  }
}

/** The registry in Python with protobuf. */
export const protoRegistry = (...flags: readonly string[]) => startListening('proto_registry.py', flags)

/** A server in Python with protobuf; resolves when the registry has it. */
export async function protoServer(registry: string): Promise<TestProcess & Part> {
  const flags = ['--proto', 'more.proto', '--registry', registry, '--heartbeat', '0.2']
  const server = await startListening('proto_server.py', flags)
  await server.line(/register find_user: success/)
  return server
}

/** The client in Python with protobuf, which asks the registry before each call. */
export const protoClient: RunClient = async (registry, asks, atOnce = false) => {
  const flags = ['--proto', 'more.proto', '--discover', ...(atOnce ? ['--at-once'] : [])]
  const requests = asks.map(({ method, kwargs = {} }) => ({ service: method, args: kwargs }))
  const answers = await askAll(`tcp://${registry}`, requests, flags)
  return answers.map(({ type, content, ...fields }, i) => {
    if (type !== 'success') return content
    const result = fields[asks[i]?.method ?? ''] as Record<string, unknown>
    const values = Object.values(result)
    return values.length === 1 ? values[0] : result
  })
}

/** Ours, with JSON. */
export const lab = service('lab', {
  add: (a: number, b: number, c = 10) => a + b + c,
  upper: (text: string) => text.toUpperCase(),
  reverse: (items: unknown[]) => items.toReversed(),
  div(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return a / b
  },
  sleep,
})

/** Ours, with protobuf. */
export const calculator = service('Calculator', {
  add: (a: number, b: number) => a + b,
  upper: (text: string) => text.toUpperCase(),
  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return { quotient: Math.floor(a / b), remainder: a % b }
  },
  sleep,
})

async function sleep(seconds: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  return seconds
}

const others = nodeParts.protocols.filter(({ name }) => name !== 'lab-protobuf')

/** Speaks protobuf with messages for all of these methods. */
export const withMore = createFarcall({
  ...nodeParts,
  logger: silentLogger,
  protocols: [...others, createLabProtobufProtocol({ proto: moreProto })],
})

/** A server of ours. */
const served =
  (by: Farcall, what: Service) =>
  (at: TargetOf): StartServer<Server> =>
  async (registry) => {
    const server = await by.serve([what], { port: 0, registry: at(registry), drainTimeoutMs: 0 })
    await server.registered
    return server
  }

export const ourLabServer = served(farcall, lab)
export const ourProtoServer = served(withMore, calculator)

/** A client of ours. */
export const ourClient =
  (at: TargetOf): RunClient =>
  async (registry, asks, atOnce = false) => {
    const results: unknown[] = []
    if (atOnce)
      return await Promise.all(
        asks.map(async (ask) => {
          await using client = withMore.connect(at(registry))
          return await outcomeOf(client, ask)
        }),
      )
    await using client = withMore.connect(at(registry))
    for (const ask of asks) results.push(await outcomeOf(client, ask))
    return results
  }

type Anything = Record<string, (...args: unknown[]) => unknown>

async function outcomeOf(client: FarcallClient, { method, args = [], kwargs }: Asked): Promise<unknown> {
  const remote = client.service<Anything>('')
  try {
    return await (kwargs === undefined ? remote[method]?.(...args) : remote.$named[method]?.(kwargs))
  } catch (thrown) {
    return RpcError.from(thrown).message
  }
}
