import type { ProgramPeer } from '../harness/peer.ts'

export const peer: ProgramPeer = {
  kind: 'program',
  name: 'go-geerpc',
  about: 'a Go server and client as geerpc teaches them: gob, one goroutine per call, a lock per reply',
  operations: ['add', 'text', 'bytes', 'nested'],
  program: 'go-peers',
  variant: 'geerpc',
}
