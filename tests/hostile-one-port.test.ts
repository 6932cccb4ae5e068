import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect } from 'farcall'
import { gob } from '../src/codecs/gob/index.ts'
import { Forge } from '../src/codecs/gob/testing.suite.ts'
import { type Attacked, attacked } from './support/attacked.ts'
import { bystander } from './support/bystander.ts'
import { goodCall, type Known, preface } from './support/hostile-bytes.ts'
import { type RawSocket, rawSocket } from './support/raw-socket.ts'

// Peers of every protocol that mean no good, on a port on which everything is spoken; and others on the same port, who
// must not notice: one who speaks our own protocol, and one who speaks geerpc.

const join = (...parts: (Uint8Array | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))

const option = (codec: string, more: object = {}) =>
  `${JSON.stringify({ MagicNumber: 0x3bef5c, CodecType: `application/${codec}`, ...more })}\n`
const jsonCall = (method: string, body: string) =>
  `${JSON.stringify({ ServiceMethod: method, Seq: 1, Error: '' })}\n${body}\n`

const known: Known = { service: 'target', method: 'add', args: [1, 2] }
const Header = gob.struct('Header', { ServiceMethod: gob.string, Seq: gob.uint, Error: gob.string })
const Request = gob.struct('Request', { ServiceMethod: gob.string, Seq: gob.uint })

/** The beginning of a call in gob: what goes before it, and its header. */
const geerpcHeader = (method: string) =>
  join(option('gob'), gob.encode({ ServiceMethod: method, Seq: 1, Error: '' }, Header))
const netRpcHeader = (method: string) => gob.encode({ ServiceMethod: method, Seq: 1 }, Request)

/** A request of HTTP that calls with a body of JSON. */
const post = (path: string, body: string, length = body.length) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
const jsonRpc = (method: string, params: unknown = []) =>
  `${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}\n`
const labJson = (name: string, list: unknown = [], named: unknown = {}) =>
  JSON.stringify({ method_name: name, method_args: list, method_kwargs: named })
/** A request of the peers with protobuf; every text in it is short. */
const labProtobuf = (service: string) => join('\n\x04call', Uint8Array.of(0x12, service.length), service)

type Bomb = readonly [name: string, bytes: Uint8Array]
const many = (count: number, add: (forge: Forge, i: number) => Forge) =>
  Array.from({ length: count })
    .reduce<Forge>((forge, _, i) => add(forge, i), new Forge())
    .bytes()

/** What ends a stream of gob; in one that has used the ids below 1,000. */
const streamBombs: readonly Bomb[] = [
  ['10,000 types', many(10_000, (forge, i) => forge.slice(1000 + i, 2))],
  ['types in types, 5,000 deep', many(5000, (forge, i) => forge.slice(1000 + i, 1001 + i))],
  [
    'a struct of 100,000 fields',
    new Forge()
      .struct(
        1000,
        Array.from({ length: 100_000 }, (_, i) => ({ Name: `F${i}`, Id: 2 })),
      )
      .bytes(),
  ],
  ['a message of 2^60 bytes', Uint8Array.of(0xf8, 0x10, 0, 0, 0, 0, 0, 0, 0)],
]

/** What ends only the value that it is. */
const valueBombs: readonly Bomb[] = [
  [
    'a slice that claims 2^40 elements',
    new Forge().slice(1000, 2).value(1000, 0, 0xfa, 1, 0, 0, 0, 0, 0).bytes(),
  ],
  [
    'a slice of itself, 10,000 deep',
    new Forge()
      .slice(1000, 1000)
      .value(1000, 0, ...Array<number>(10_000).fill(1), 0)
      .bytes(),
  ],
]

const closed: readonly (readonly [name: string, sent: Uint8Array | string])[] = [
  ['geerpc: an option of 10 MiB', `{"MagicNumber":3927900,"x":"${'y'.repeat(10 << 20)}"}`],
  [
    'geerpc: an option that is 5,000 deep',
    `{"MagicNumber":3927900,"x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  ],
  ['geerpc: a wrong magic number', '{"MagicNumber":1,"CodecType":"application/gob"}'],
  ['geerpc: an unknown codec', option('xml')],
  ['geerpc: a codec by the name of what every object has', '{"MagicNumber":3927900,"CodecType":"__proto__"}'],
  ['geerpc: a time that is none', option('gob', { HandleTimeout: -1 })],
  ['geerpc: a JSON header that is none', `${option('json')}[1]`],
  ['geerpc: bytes that are no gob', join(option('gob'), new Uint8Array(5000).fill(0xff))],
  ['net-rpc: bytes that are no gob', join(Uint8Array.of(0x20, 0x7f), new Uint8Array(5000).fill(0xff))],
  ['net-rpc: a header that is none', gob.encode({ Something: 'else', And: ['more'] })],
  ['http: an address of 30,000 characters', `GET /${'x'.repeat(30_000)} HTTP/1.1\r\n`],
  ['http: a body of 10 MiB', post('/target/echo', 'x'.repeat(10 << 20))],
  ['http: a field without an end', `GET / HTTP/1.1\r\nHost: ${'x'.repeat(30_000)}`],
  ['json-rpc: a request of 30 MiB', `{"jsonrpc":"2.0","method":"${'x'.repeat(30 << 20)}`],
  ['lab-json: a request of 30 MiB', `{"method_name":"add","method_args":["${'x'.repeat(30 << 20)}`],
  [
    'lab-protobuf: a field that claims 2^35 bytes',
    join('\n\x04call', Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x7f)),
  ],
  ['lab-protobuf: groups in groups', join('\n\x04call', new Uint8Array(5000).fill(0x1b))],
  ['a CONNECT without an end', `CONNECT /_goRPC_ HTTP/1.0\n${'x: y\n'.repeat(5000)}`],
  ['nothing that anybody speaks', new Uint8Array(5000).fill(0x61)],
  ...[...streamBombs, ...valueBombs].map(
    ([name, bytes]): Bomb => [`geerpc: ${name}, in the place of a header`, join(option('gob'), bytes)],
  ),
  ...streamBombs.flatMap(([name, bytes]): Bomb[] => [
    [`geerpc: ${name}, in the place of a body`, join(geerpcHeader('target.add'), bytes)],
    [`net-rpc: ${name}, in the place of a body`, join(netRpcHeader('target.add'), bytes)],
  ]),
]

const answered: readonly (readonly [name: string, sent: Uint8Array | string, hears: RegExp])[] = [
  [
    'geerpc: a call to __proto__, in JSON',
    option('json') + jsonCall('target.__proto__', '{}'),
    /"Error":"rpc server: can't find method __proto__"/,
  ],
  [
    'geerpc: a call to a service __proto__',
    option('json') + jsonCall('__proto__.add', '{}'),
    /"Error":"rpc server: can't find service __proto__"/,
  ],
  [
    'geerpc: a call to __proto__, in gob',
    join(geerpcHeader('target.__proto__'), gob.encode(1)),
    /can't find method __proto__/,
  ],
  [
    'net-rpc: a call to __proto__',
    join(netRpcHeader('target.__proto__'), gob.encode(1)),
    /can't find method target\.__proto__/,
  ],
  [
    'geerpc: a body that is 10,000 deep',
    option('json') + jsonCall('target.echo', '['.repeat(10_000) + ']'.repeat(10_000)),
    /"Error":"a value is nested deeper/,
  ],
  [
    'geerpc: a body with __proto__ in it',
    option('json') + jsonCall('target.echo', '{"__proto__":{"polluted":1}}'),
    /\{"__proto__":\{"polluted":1\}\}/,
  ],
  ...valueBombs.flatMap(([name, bytes]): [string, Uint8Array, RegExp][] => [
    [`geerpc: ${name}, in the place of a body`, join(geerpcHeader('target.add'), bytes), /the gob value at/],
    [`net-rpc: ${name}, in the place of a body`, join(netRpcHeader('target.add'), bytes), /the gob value at/],
  ]),
  [
    'http: another method at a path of CONNECT',
    'GET /_geeprc_ HTTP/1.0\r\n\r\n',
    /^HTTP\/1\.[01] 405 [^]*\r\n\r\n405 must CONNECT\n$/,
  ],
  [
    'http: both fields that tell a length',
    'POST /target/add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[1, 2]\r\n0\r\n\r\n',
    /^HTTP\/1\.1 400 /,
  ],
]

/** Names that mean something to the language, as each protocol would have them called. */
const namesOfTheLanguage = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].flatMap(
  (name): [string, string | Uint8Array, RegExp][] => {
    const own = JSON.parse(`{"${name}":{"polluted":1}}`) as object
    return [
      [`http: the method ${name}`, post(`/target/${name}`, '[]'), /^HTTP\/1\.1 404 [^]*has no method/],
      [`http: the service ${name}`, post(`/${name}/add`, '[]'), /^HTTP\/1\.1 404 [^]*unknown service/],
      [`http: the bare name ${name}`, post(`/${name}`, '[]'), /^HTTP\/1\.1 404 [^]*no service has a method/],
      [
        `http: the parameter ${name}`,
        post('/target/add', JSON.stringify(own)),
        /^HTTP\/1\.1 400 [^]*target\.add (has no parameter|is missing argument)/,
      ],
      [`json-rpc: the method ${name}`, jsonRpc(`target.${name}`), /-32601/],
      [`json-rpc: the service ${name}`, jsonRpc(`${name}.add`), /-32601/],
      [`json-rpc: the bare name ${name}`, jsonRpc(name), /-32601/],
      [`json-rpc: the parameter ${name}`, jsonRpc('target.add', own), /-32602.*target\.add has no parameter/],
      [`json-rpc over HTTP: the bare name ${name}`, post('/rpc', jsonRpc(name)), /-32601/],
      [`lab-json: the method ${name}`, labJson(`target.${name}`), /"res": "service 'target' has no method/],
      [`lab-json: the service ${name}`, labJson(`${name}.add`), /"res": "unknown service/],
      [`lab-json: the bare name ${name}`, labJson(name), /"res": "no service has a method/],
      [
        `lab-json: the parameter ${name}`,
        labJson('target.add', [], own),
        /"res": "target\.add has no parameter/,
      ],
      [`lab-protobuf: the bare name ${name}`, labProtobuf(name), /fail[^]*no service has a method/],
      [`lab-protobuf: the method ${name}`, labProtobuf(`target.${name}`), /fail[^]*has no method/],
    ]
  },
)

/** Beginnings that do not go on. */
const halves: readonly (readonly [name: string, sent: Uint8Array | string])[] = [
  ['half an option', '{"MagicNumber":3927900,"Codec'],
  ['half a CONNECT', 'CONNECT /_geeprc_ HT'],
  ['half a header in JSON', `${option('json')}{"ServiceMethod":"target.a`],
  ['a header in JSON without its body', `${option('json')}{"ServiceMethod":"target.add","Seq":1,"Error":""}`],
  ['half a header in gob', geerpcHeader('target.add').subarray(0, -5)],
  ['a header in gob without its body', geerpcHeader('target.add')],
  ['half a body', join(geerpcHeader('target.echo'), gob.encode('a longer text').subarray(0, -5))],
  ['half a definition of net/rpc', netRpcHeader('target.add').subarray(0, 20)],
  ['half a request of net/rpc', netRpcHeader('target.add').subarray(0, -3)],
  ['a request of net/rpc without its body', netRpcHeader('target.add')],
  ['half a head of HTTP', 'POST /target/add HTTP/1.1\r\nHost: loc'],
  ['half a body of HTTP', post('/target/add', '[1, ', 6)],
  ['half a chunk of HTTP', 'POST /a/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1'],
  ['half a request of json-rpc', jsonRpc('target.add', [1, 2]).slice(0, -9)],
  ['half a batch of json-rpc', `[${jsonRpc('target.add', [1, 2])},`],
  ['half a request of lab-json', labJson('target.add', [1, 2]).slice(0, -9)],
  ['half a request of lab-protobuf', labProtobuf('target.add').subarray(0, -3)],
  ['half a preface of ours', preface().subarray(0, 60)],
  ['half a frame of ours', join(preface(), goodCall(1, known).subarray(0, 12))],
]

/** Somebody who calls over geerpc all the while. */
function geerpcCaller(target: string) {
  const client = connect(target.replace('tcp:', 'geerpc+tcp:'))
  const service = client.service<{ echo(value: unknown): unknown }>('target')
  const calls = bystander(async (n) => assert.equal(await service.echo(n), n))
  return {
    more: calls.more,
    async [Symbol.asyncDispose]() {
      await calls.stop()
      await client.close()
    },
  }
}

describe('one port on which everything is spoken, and peers that mean no good', { timeout: 60_000 }, () => {
  let at: Attacked
  let geerpc: ReturnType<typeof geerpcCaller>
  before(async () => {
    at = await attacked({}, { everything: true })
    geerpc = geerpcCaller(at.target)
  })
  after(async () => {
    await geerpc[Symbol.asyncDispose]()
    try {
      await at.close()
    } finally {
      await at[Symbol.asyncDispose]()
    }
  })

  const nobodyNotices = () => Promise.all([at.other.more(10), geerpc.more(10)])

  for (const [name, sent] of closed)
    it(`${name}: closed`, async () => {
      using peer = await rawSocket(at.target)
      await peer.send(sent)
      await peer.gone
      await nobodyNotices()
      await at.holds(16)
    })

  for (const [name, sent, hears] of [...answered, ...namesOfTheLanguage])
    it(`${name}: answered`, async () => {
      using peer = await rawSocket(at.target)
      await peer.send(sent)
      await peer.until(hears)
      await nobodyNotices()
    })

  it('10,000 that begin and do not go on: held in little memory, or closed', async () => {
    const peers: RawSocket[] = []
    try {
      // Not all at the same moment: the system itself would lose some.
      while (peers.length < 10_000) {
        peers.push(...(await Promise.all(Array.from({ length: 500 }, () => rawSocket(at.target)))))
        await Promise.all(peers.slice(-500).map((peer, i) => peer.send(halves[i % halves.length]?.[1] ?? '')))
      }
      await nobodyNotices()
      // Nor does who comes only now.
      await using newcomer = connect(at.target)
      assert.equal(await newcomer.service<{ add(a: number, b: number): number }>('target').add(1, 2), 3)
      await at.holds(256)
    } finally {
      for (const peer of peers) peer[Symbol.dispose]()
    }
    // The two who call.
    while ((await at.service.state()).open > 2);
  })
})

// One that says nothing more cannot be told from a slow one but by time: these limits are short.
const shortLimits = { firstMessageTimeoutMs: 300, keepaliveMs: 300, keepaliveTimeoutMs: 300 }

it('lets go of peers that stop in the middle, whatever they speak', { timeout: 30_000 }, async () => {
  await using at = await attacked(shortLimits, { everything: true })
  await using _geerpc = geerpcCaller(at.target)
  await Promise.all(
    halves.map(async ([, sent]) => {
      using peer = await rawSocket(at.target)
      await peer.send(sent)
      await peer.gone
    }),
  )
})
