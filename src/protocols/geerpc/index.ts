export type { GoBody, GoCodec, GoCodecSession, GoHeader, GoTypes } from '../go-rpc/index.ts'
export {
  createGeerpcProtocol,
  geerpcCodecs,
  type GeerpcOptions,
  geerpcProtocol,
} from './geerpc.ts'
export { createConnectUnwrap, goConnectPaths, goConnectRoute } from '../go-rpc/index.ts'
