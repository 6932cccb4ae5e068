import type * as tls from 'node:tls'

/** TLS of Node, loaded when it is first needed: that takes 10 ms, a tenth of a program that makes one call and ends. */
export function nodeTls(): typeof tls {
  return process.getBuiltinModule('node:tls')
}
