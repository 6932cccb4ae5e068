import { gob } from '../../src/codecs/gob/index.ts'
import { method, serve, service } from '../../src/node.ts'
import type { ServedPeer } from '../harness/peer.ts'

const Pair = gob.struct('Pair', { A: gob.int, B: gob.int })

const bench = service('Bench', {
  Add: method({ params: ['A', 'B'], types: { args: Pair, reply: gob.int } }, (a: number, b: number) => a + b),
  Text: method({ types: { args: gob.string, reply: gob.string } }, (text: string) => text),
  Bytes: method({ types: { args: gob.bytes, reply: gob.bytes } }, (bytes: Uint8Array) => bytes),
})

export const peer: ServedPeer = {
  kind: 'served',
  name: 'farcall-geerpc',
  about: "our server, called in geerpc's protocol (gob) by the client of go-geerpc",
  operations: ['add', 'text', 'bytes'],
  program: 'go-peers',
  variant: 'geerpc',
  async start() {
    const server = await serve([bench], { port: 0 })
    return { address: (server.targets[0] as string).replace('tcp://', '') }
  },
}
