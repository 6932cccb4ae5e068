import type { Peer } from '../harness/peer.ts'

/** Files of this folder, in the order of the tables: ours, the limit, then the others. */
export const peerFiles = [
  'farcall',
  'farcall-coalesce',
  'farcall-layers',
  'farcall-schema',
  'farcall-geerpc',
  'raw',
  'go-netrpc',
  'go-geerpc',
  'go-grpc',
  'grpc-js',
  'connect',
  'trpc-http',
  'trpc-ws',
  'orpc',
  'moleculer-tcp',
  'capnweb',
  'nats',
  'fastify-undici',
] as const

/** Peers that are asked for and cannot be had, with the reason. */
export const absentPeers: Readonly<Record<string, string>> = {
  'go-rpcx': 'its module (github.com/smallnest/rpcx) cannot be had from the module proxy',
}

/** Loads one; its packages are not needed for that. */
export async function loadPeer(file: string): Promise<Peer> {
  return ((await import(`./${file}.ts`)) as { peer: Peer }).peer
}
