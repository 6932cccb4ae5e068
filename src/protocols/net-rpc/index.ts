export { createNetRpcProtocol, netRpcProtocol, type NetRpcOptions } from './net-rpc.ts'
