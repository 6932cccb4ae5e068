export {
  createGeerpcProtocol,
  geerpcCodecs,
  type GeerpcOptions,
  type GeerpcProtocol,
  geerpcProtocol,
} from './geerpc.ts'
