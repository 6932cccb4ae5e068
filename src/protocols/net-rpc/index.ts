export { createNetRpcProtocol, netRpcProtocol, type NetRpcOptions } from './net-rpc.ts'
export { createConnectUnwrap } from '../go-rpc/index.ts'
