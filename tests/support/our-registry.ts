import { type FacesOptions, silentLogger, startRegistry } from 'farcall'
import { hostAndPort } from './older-systems.ts'

/** A registry of ours, in this process. */
export interface OurRegistry extends AsyncDisposable {
  readonly port: number
  /** As older programs are told of it: `127.0.0.1:port`. */
  readonly address: string
}

/** Starts one, at any port if none is given. */
export async function startOurRegistry(faces: FacesOptions = {}, port = 0): Promise<OurRegistry> {
  const registry = await startRegistry({ port, faces, logger: silentLogger })
  const { host, port: found } = hostAndPort(registry.targets[0])
  return {
    port: Number(found),
    address: `${host}:${found}`,
    [Symbol.asyncDispose]: () => registry.close(),
  }
}
