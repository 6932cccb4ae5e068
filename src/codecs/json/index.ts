export { jsonCodec } from './json.ts'
