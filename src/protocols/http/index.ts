export { createHttpProtocol, type HttpOptions, httpProtocol } from './http.ts'
export type { OriginOptions } from './origin.ts'
