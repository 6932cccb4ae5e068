export { answerJsonRpc, type JsonRpcAnswer, type JsonRpcAround } from './answer.ts'
export { jsonRpcRoute, type JsonRpcRouteOptions } from './http-route.ts'
export { createJsonRpcProtocol, jsonRpcProtocol, type JsonRpcOptions } from './json-rpc.ts'
export type { JsonRpcVersion } from './request.ts'
