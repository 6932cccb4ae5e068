import { createFarcall, type Farcall, silentLogger } from 'farcall'
import { nodeParts } from '../../src/node.ts'
import { createJsonRpcProtocol, jsonRpcProtocol } from '../../src/protocols/json-rpc/index.ts'
import { labJsonProtocol } from '../../src/protocols/lab-json/index.ts'

const own = [labJsonProtocol, jsonRpcProtocol, createJsonRpcProtocol({ version: '1.0' })]

/** A Farcall with the JSON dialects of the older systems among its protocols. */
export const farcall: Farcall = createFarcall({
  ...nodeParts,
  logger: silentLogger,
  protocols: [
    ...nodeParts.protocols,
    ...own.filter(({ name }) => !nodeParts.protocols.some((protocol) => protocol.name === name)),
  ],
})

/** The host and port of a target such as `tcp://127.0.0.1:8089`. */
export function hostAndPort(target: string | undefined): { host: string; port: string } {
  const { hostname, port } = new URL((target ?? '').replace('tcp:', 'http:'))
  return { host: hostname, port }
}
