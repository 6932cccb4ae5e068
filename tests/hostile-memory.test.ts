// Peers that fill the memory, each within its own limits: messages of megabytes that do not end, and answers that are not
// read. All of them together are bounded, and others on the same port do not notice.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { gob } from '../src/codecs/gob/index.ts'
import { type Attacked, attacked } from './support/attacked.ts'
import { frameTypes } from '../src/protocols/farcall/frames.ts'
import { call, encoded, frame, type Known, preface } from './support/hostile-bytes.ts'
import { type RawSocket, rawSocket } from './support/raw-socket.ts'

const MiB = 1 << 20
const large = 'x'.repeat(3 * MiB)
const option = (codec: string) => `{"MagicNumber":3927900,"CodecType":"application/${codec}"}\n`
const post = (body: string, length = body.length) =>
  `POST /target/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
const parts = Array.from({ length: 50 }, () => frame(frameTypes.part, 1, new Uint8Array(60_000)))

/** The larger part of a message. */
const halves: Readonly<Record<string, Uint8Array | string>> = {
  farcall: Buffer.concat([preface(), ...parts]),
  http: post(`["${large}`, large.length + 4),
  'json-rpc': `{"jsonrpc":"2.0","method":"target.echo","params":["${large}`,
  'lab-json': `{"method_name": "echo", "method_args": ["${large}`,
  'lab-protobuf': Buffer.concat([
    Buffer.from('\n\x04call\x12\x03add\x1a'),
    Uint8Array.of(0x80, 0x80, 0xf0, 0x01),
    Buffer.from(large),
  ]),
  'geerpc in JSON': `${option('json')}{"ServiceMethod":"target.echo","Seq":1,"Error":""}\n"${large}`,
  'geerpc in gob': Buffer.concat([
    Buffer.from(option('gob')),
    gob.encode(
      { ServiceMethod: 'target.echo', Seq: 1 },
      gob.struct('R', { ServiceMethod: gob.string, Seq: gob.uint }),
    ),
    gob.encode(`${large}y`).subarray(0, -1),
  ]),
}

/** Calls that answer with 3 MiB. */
const known: Known = { service: 'target', method: 'bytes', args: [3 * MiB] }
const questions: Readonly<Record<string, Uint8Array | string>> = {
  farcall: Buffer.concat([preface(), call(1, known, encoded([3 * MiB]))]),
  http: post(`["${large}"]`),
  'json-rpc': `{"jsonrpc":"2.0","id":1,"method":"target.echo","params":["${large}"]}`,
  'lab-json': `{"method_name": "echo", "method_args": ["${large}"]}`,
  'geerpc in JSON': `${option('json')}{"ServiceMethod":"target.echo","Seq":1,"Error":""}\n"${large}"\n`,
}

/** Many who send the same, and read nothing. */
async function flood(at: Attacked, sent: Uint8Array | string, count: number): Promise<RawSocket[]> {
  const peers: RawSocket[] = []
  while (peers.length < count) {
    const peer = await rawSocket(at.target)
    peer.socket.pause()
    peers.push(peer)
    await peer.send(sent)
  }
  return peers
}

describe('peers that fill the memory are closed before it is full', { timeout: 60_000 }, () => {
  let at: Attacked
  before(async () => {
    at = await attacked({ maxHeldBytes: 32 * MiB }, { everything: true })
  })
  after(async () => {
    try {
      await at.close()
    } finally {
      await at[Symbol.asyncDispose]()
    }
  })

  for (const [what, table] of Object.entries({ 'half a message': halves, 'answers not read': questions }))
    for (const [name, sent] of Object.entries(table))
      it(`${name}: ${what}`, async () => {
        const peers = await flood(at, sent, 30)
        // Without the limit it would be 90 MiB and more.
        const { open } = await at.holds(64)
        assert.ok(open < 20, `${open} connections are open`)
        await at.other.more(100)
        for (const peer of peers) peer[Symbol.dispose]()
        await at.allGone()
      })
})
