export { labJsonProtocol } from './lab-json.ts'
