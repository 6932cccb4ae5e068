import { RpcError } from '../../core/error.ts'
import type { Instance } from '../../core/instance.ts'
import { readField, readList, readPort } from '../api/guards.ts'
import type { LabRegistration, LabRegistry, LabServer } from '../api/lab-registry.ts'
import { askRegistry, type RegistryLine } from '../call-registry.ts'
import { bareInstance, dialableHost, readHost } from './endpoints.ts'
import { maxEntries } from './read-entries.ts'
import type { HostPort } from './target.ts'

/** Who is registered for a name. A registry that says it knows nobody has answered; one that says nothing has not. */
export async function discover(
  line: RegistryLine,
  service: string,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  try {
    const found = await askTwice(line, 'discover', { service }, signal)
    return readList(found, 'the list of servers', maxEntries)
  } catch (thrown) {
    const error = RpcError.from(thrown)
    if (error.code === 'not_found') return []
    throw error
  }
}

/** Registers a server for one name; again is success. */
export async function register(
  line: RegistryLine,
  registration: LabRegistration,
  signal: AbortSignal,
): Promise<void> {
  await askTwice(line, 'register', registration, signal)
}

/** Says that a server lives. False where it has to be registered again. */
export async function beat(line: RegistryLine, server: LabServer, signal: AbortSignal): Promise<boolean> {
  return (await askTwice(line, 'heartbeat', server, signal)) !== false
}

/** @throws RpcError `invalid_argument` for what is no server. */
export function readLabServer(value: unknown, protocol: string, registry: HostPort): Instance {
  const host = dialableHost(readHost(value), registry)
  const port = readPort(readField(value, 'port', 'it'), 'port')
  return bareInstance({ protocol, address: { transport: 'tcp', host, port } })
}

// The document's rule: once more after a time-out or an error, but not where the registry has answered with a failure.
async function askTwice(
  line: RegistryLine,
  method: keyof LabRegistry,
  request: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await askRegistry(line, method, request, { signal })
  } catch (thrown) {
    if (signal.aborted || RpcError.from(thrown).code === 'not_found') throw thrown
    return askRegistry(line, method, request, { signal })
  }
}
