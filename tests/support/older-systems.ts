import { createFarcall, type Farcall, type FarcallParts, silentLogger } from 'farcall'
import { nodeParts } from '../../src/node.ts'
import {
  createConnectUnwrap,
  createGeerpcProtocol,
  goConnectRoute,
} from '../../src/protocols/geerpc/index.ts'
import { createHttpProtocol } from '../../src/protocols/http/index.ts'
import { createJsonRpcProtocol, jsonRpcProtocol } from '../../src/protocols/json-rpc/index.ts'
import { labJsonProtocol } from '../../src/protocols/lab-json/index.ts'
import { createNetRpcProtocol } from '../../src/protocols/net-rpc/index.ts'

const protocols = [
  createHttpProtocol({ routes: [goConnectRoute()] }),
  labJsonProtocol,
  jsonRpcProtocol,
  createJsonRpcProtocol({ version: '1.0' }),
  createGeerpcProtocol(),
  createNetRpcProtocol(),
]

/** The parts of a Farcall that speaks everything, on one port. */
export const everyPart: FarcallParts = {
  ...nodeParts,
  protocols: [
    ...nodeParts.protocols,
    ...protocols.filter(({ name }) => !nodeParts.protocols.some((protocol) => protocol.name === name)),
  ],
  unwraps: [createConnectUnwrap(), ...nodeParts.unwraps.filter(({ name }) => name !== 'connect')],
}

/** A Farcall that speaks all that the older systems do. */
export const farcall: Farcall = createFarcall({ ...everyPart, logger: silentLogger })

/** The host and port of a target such as `tcp://127.0.0.1:8089`. */
export function hostAndPort(target: string | undefined): { host: string; port: string } {
  const { hostname, port } = new URL((target ?? '').replace('tcp:', 'http:'))
  return { host: hostname, port }
}
