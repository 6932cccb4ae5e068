import type { ProgramPeer } from '../harness/peer.ts'

export const peer: ProgramPeer = {
  kind: 'program',
  name: 'go-grpc',
  about: 'grpc-go with well-known protobuf messages',
  operations: ['add', 'text', 'bytes'],
  program: 'go-module-peers',
  variant: 'grpc',
}
