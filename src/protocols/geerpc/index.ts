export type { GoBody, GoCodec, GoCodecSession, GoHeader, GoTypes } from '../go-rpc/index.ts'
export {
  createGeerpcProtocol,
  geerpcCodecs,
  type GeerpcOptions,
  type GeerpcProtocol,
  geerpcProtocol,
} from './geerpc.ts'
export { createConnectUnwrap } from '../go-rpc/index.ts'
