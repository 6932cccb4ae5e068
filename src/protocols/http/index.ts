export { createHttpProtocol, type HttpOptions } from './http.ts'
export type { OriginOptions } from './origin.ts'
