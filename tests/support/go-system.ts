import { type BroadcastResult, type FacesOptions, RpcError } from 'farcall'
import { startGoClient, startGoPart } from './go-peer.ts'
import { foo, fooContract, type FooClient } from './go-service.ts'
import { farcall } from './older-systems.ts'
import { startOurRegistry } from './our-registry.ts'
import { start } from './process.ts'

// The system of the documents 003 and 004: a registry, servers that register with it, and a client of theirs. Each
// part is made by a function, so that any of them can be ours and the others are not told.

export type Family = 'geerpc' | 'myrpc'

/** A part that runs: a registry has a URL, a server what it registered as. */
export interface Part extends AsyncDisposable {
  readonly address: string
}

export type StartRegistry = (family: Family) => Promise<Part>
export type StartServer = (family: Family, registry: string, scheme: 'tcp' | 'http') => Promise<Part>

/** What a call or a broadcast of the main program came to. `everyone` is a broadcast that wants all answers. */
export interface SystemOutcome {
  readonly type: 'call' | 'broadcast' | 'everyone'
  readonly method: 'Foo.Sum' | 'Foo.Sleep'
  readonly num1: number
  readonly num2: number
  /** Of `everyone` that of all, who have to agree. */
  readonly reply: number
  /** Empty where it succeeded. */
  readonly error: string
  readonly ms: number
}

/** The client of the main programs. */
export interface ClientPart {
  /** What it does, each five times. */
  readonly types: readonly SystemOutcome['type'][]
  /** How it says that the time was over. */
  readonly late: RegExp
  run(family: Family, registry: string): Promise<readonly SystemOutcome[]>
}

/** The header in which a server tells the registry where it is, and that in which the registry tells of all. */
export function headersOf(family: Family): { readonly server: string; readonly servers: string } {
  const name = family === 'geerpc' ? 'X-Geerpc-Server' : 'X-Myrpc-Server'
  return { server: name, servers: `${name}s` }
}

/** What a registry of this family at a URL is to us, with periods that a test can wait for. */
export function targetOf(family: Family, registry: string): string {
  return `${registry.replace('http://', `${family}-registry+http://`)}?heartbeatMs=200&pollMs=100`
}

/** The same for a registry of ours, in our own way. */
export function ownTargetOf(_family: Family, registry: string): string {
  return `registry://${new URL(registry).host}`
}

/** The registry in Go, on any port. */
export const goRegistry =
  (program: string) =>
  (family: Family, ...flags: readonly string[]) =>
    startGoPart(program, ['-role', 'registry', '-family', family, '-listen', ':0', ...flags])

/** A server in Go; what it registers is `tcp@[::]:port`, as in the documents. */
export const goServer =
  (program: string) =>
  (family: Family, registry: string, scheme: 'tcp' | 'http', ...flags: readonly string[]) => {
    const all = ['-role', 'server', '-family', family, '-registry', registry, '-scheme', scheme, ...flags]
    return startGoPart(program, all)
  }

/** The client in Go. `pauseMs` is for servers in Go, which lose first calls that come with the option. */
export const goClient = (program: string, pauseMs: number): ClientPart => ({
  types: ['call', 'broadcast'],
  late: /deadline exceeded|context canceled/,
  async run(family, registry) {
    const flags = ['-family', family, '-registry', registry, '-pause', `${pauseMs}ms`]
    await using client = start(program, ['-role', 'client', ...flags])
    await client.line(/^done$/m)
    return Array.from(client.output.matchAll(/^\{.*\}$/gm), ([line]) => JSON.parse(line) as SystemOutcome)
  },
})

/** A client in Go that makes the calls it is told to; it waits as is needed for servers in Go. */
export const goCaller =
  (program: string) =>
  (family: Family, registry: string, ...flags: readonly string[]) => {
    const all = ['-role', 'client', '-part', 'input', '-family', family, '-registry', registry]
    return startGoClient(program, [...all, '-pause', '300ms', ...flags])
  }

/** A registry of ours, asked at one of its paths. */
export const ourRegistry =
  (path = '/_geerpc_/registry', faces: FacesOptions = {}, port = 0) =>
  async (): Promise<Part> => {
    const registry = await startOurRegistry(faces, port)
    return { ...registry, address: `http://${registry.address}${path}` }
  }

/** A server of ours, registered by its own registrar; that it takes CONNECT as well is said for it. */
export const ourServer: StartServer = async (family, registry, scheme) => {
  const isPlain = scheme === 'tcp'
  const server = await farcall.serve([foo], {
    port: 0,
    drainTimeoutMs: 0,
    ...(isPlain && { registry: targetOf(family, registry) }),
  })
  await server.registered
  const address = String(server.targets[0]).replace(/^tcp:\/\//, `${scheme}@`)
  const part = { address, [Symbol.asyncDispose]: () => server.close() }
  if (isPlain) return part
  const response = await fetch(registry, { method: 'POST', headers: { [headersOf(family).server]: address } })
  if (response.status !== 200) throw new Error(`the registry answered ${response.status}`)
  return part
}

/** A client of ours that does what the main programs do, and asks everyone, too. */
export const ourClient = (at: typeof targetOf): ClientPart => ({
  types: ['call', 'broadcast', 'everyone'],
  late: /^deadline_exceeded: /,
  async run(family, registry) {
    await using client = farcall.connect(at(family, registry))
    const remote = client.service<FooClient>('Foo', { contract: fooContract })
    // Two seconds, less what a deadline may be late by: an answer that takes as long is not to win.
    const soon = { timeoutMs: 1_990 }
    const all = Array.from({ length: 5 }, async (_, i) => {
      const args = { Num1: i, Num2: i * i }
      const tell = (
        type: SystemOutcome['type'],
        method: SystemOutcome['method'],
        reply: PromiseLike<number>,
      ) => outcomeOf({ type, method, num1: i, num2: i * i }, reply)
      return await Promise.all([
        tell('call', 'Foo.Sum', remote.Sum(i, i * i)),
        tell('broadcast', 'Foo.Sum', remote.$broadcast({ result: 'first' }).Sum(i, i * i)),
        tell('broadcast', 'Foo.Sleep', remote.$broadcast({ result: 'first', ...soon }).Sleep(args)),
        tell('everyone', 'Foo.Sum', agreed(remote.$broadcast().Sum(i, i * i))),
        tell('everyone', 'Foo.Sleep', agreed(remote.$broadcast(soon).Sleep(args))),
      ])
    })
    return (await Promise.all(all)).flat()
  },
})

/** What both servers have answered. Throws their error, or for answers that differ. */
async function agreed(answers: PromiseLike<readonly BroadcastResult<number>[]>): Promise<number> {
  const [one, other, ...more] = await answers
  if (one === undefined || other === undefined || more.length > 0)
    throw new Error('two servers should answer')
  if (one.value !== other.value || one.error?.code !== other.error?.code)
    throw new Error(`they differ: ${JSON.stringify([one, other])}`)
  if (one.error !== undefined) throw one.error
  return one.value
}

async function outcomeOf(
  call: Pick<SystemOutcome, 'type' | 'method' | 'num1' | 'num2'>,
  reply: PromiseLike<number>,
): Promise<SystemOutcome> {
  const begun = performance.now()
  const took = () => ({ ms: performance.now() - begun })
  try {
    return { ...call, reply: await reply, error: '', ...took() }
  } catch (thrown) {
    const { code, message } = RpcError.from(thrown)
    return { ...call, reply: 0, error: `${code}: ${message}`, ...took() }
  }
}
