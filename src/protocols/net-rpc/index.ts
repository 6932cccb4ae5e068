export { createNetRpcProtocol, netRpcProtocol, type NetRpcOptions } from './net-rpc.ts'
export { createConnectUnwrap, goConnectPaths, goConnectRoute } from '../go-rpc/index.ts'
