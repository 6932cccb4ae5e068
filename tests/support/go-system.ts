import { createGeerpcProtocol } from '../../src/protocols/geerpc/index.ts'
import { farcallWith, foo } from './go-service.ts'
import { start, type TestProcess } from './process.ts'

// The system of the documents 003 and 004: a registry, servers that register with it, and a client of theirs. Each
// part is made by a function, so that any of them can be ours and the others are not told.

export type Family = 'geerpc' | 'myrpc'

/** A part that runs: a registry has a URL, a server what it registered as. */
export interface Part extends AsyncDisposable {
  readonly address: string
}

export type StartRegistry = (family: Family) => Promise<Part>
export type StartServer = (family: Family, registry: string, scheme: 'tcp' | 'http') => Promise<Part>

/** What a call or a broadcast of the main program came to. */
export interface SystemOutcome {
  readonly type: 'call' | 'broadcast'
  readonly method: 'Foo.Sum' | 'Foo.Sleep'
  readonly num1: number
  readonly num2: number
  readonly reply: number
  /** Empty where it succeeded. */
  readonly error: string
  readonly ms: number
}

/** Makes the five calls and the five broadcasts of the main programs. */
export type RunClient = (family: Family, registry: string) => Promise<readonly SystemOutcome[]>

/** The header in which a server tells the registry where it is, and that in which the registry tells of all. */
export function headersOf(family: Family): { readonly server: string; readonly servers: string } {
  const name = family === 'geerpc' ? 'X-Geerpc-Server' : 'X-Myrpc-Server'
  return { server: name, servers: `${name}s` }
}

/** Starts a part in Go, with these flags; resolves when it listens. */
export async function startGoPart(
  program: string,
  flags: readonly string[],
): Promise<TestProcess & { readonly address: string }> {
  const part = start(program, flags)
  const [, address = ''] = await part.line(/^listening (.*)$/m)
  return Object.assign(part, { address })
}

/** The registry in Go, on any port. */
export const goRegistry =
  (program: string): StartRegistry =>
  (family) =>
    startGoPart(program, ['-role', 'registry', '-family', family, '-listen', ':0'])

/** A server in Go; what it registers is `tcp@[::]:port`, as in the documents. */
export const goServer =
  (program: string): StartServer =>
  (family, registry, scheme) =>
    startGoPart(program, ['-role', 'server', '-family', family, '-registry', registry, '-scheme', scheme])

/** The client in Go. `pauseMs` is for servers in Go, which lose first calls that come with the option. */
export const goClient =
  (program: string, pauseMs: number): RunClient =>
  async (family, registry) => {
    const flags = ['-family', family, '-registry', registry, '-pause', `${pauseMs}ms`]
    await using client = start(program, ['-role', 'client', ...flags])
    await client.line(/^done$/m)
    return Array.from(client.output.matchAll(/^\{.*\}$/gm), ([line]) => JSON.parse(line) as SystemOutcome)
  }

/** A server of ours. */
export const ourServer: StartServer = async (family, registry, scheme) => {
  const server = await farcallWith(createGeerpcProtocol()).serve([foo], { port: 0, drainTimeoutMs: 0 })
  const address = String(server.targets[0]).replace(/^tcp:\/\//, `${scheme}@`)
  const response = await fetch(registry, { method: 'POST', headers: { [headersOf(family).server]: address } })
  if (response.status !== 200) throw new Error(`the registry answered ${response.status}`)
  return { address, [Symbol.asyncDispose]: () => server.close() }
}
