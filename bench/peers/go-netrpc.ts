import type { ProgramPeer } from '../harness/peer.ts'

export const peer: ProgramPeer = {
  kind: 'program',
  name: 'go-netrpc',
  about: "Go net/rpc with gob, and Go's own client",
  operations: ['add', 'text', 'bytes', 'nested'],
  program: 'go-peers',
  variant: 'netrpc',
}
