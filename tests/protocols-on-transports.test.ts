// Every protocol inside of TLS and on a unix socket, spoken by our client and by programs that know nothing of Farcall.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { connect, currentCall, type Server, serve, service, type ServeOptions, silentLogger } from 'farcall'
import { gob, GobEncoder } from '../src/codecs/gob/index.ts'
import { MemoryOutput } from '../src/core/bytes/output.ts'
import { folder } from './support/cli.ts'

const run = promisify(execFile)
const noCurl = await run('curl', ['--version']).then(
  () => false,
  () => 'curl is not installed',
)

const peerOf = () => currentCall()?.peer
const math = service('math', {
  add: (a: number, b: number, c = 10) => a + b + c,
  spoken: () =>
    `${peerOf()?.protocol} over ${peerOf()?.transport}, ${peerOf()?.tls?.alpn ?? 'nothing'} agreed`,
})
interface Calculator {
  add(a: number, b: number): number
}

const fixture = (name: string) =>
  readFile(new URL(`../src/transports/fixtures/${name}.pem`, import.meta.url), 'utf8')
const [ca, cert, key] = await Promise.all(['ca.cert', 'server.cert', 'server.key'].map(fixture))
const tls = { cert: cert ?? '', key: key ?? '' }
const begin = (options: ServeOptions) => serve([math], { logger: silentLogger, ...options })
const secure = () => begin({ port: 0, tls })
const portOf = ({ targets }: Server) => Number(/\d+$/.exec(targets[0] ?? '')?.[0])

// What each protocol is to the server, and what it agrees on beforehand inside of TLS.
const spokenAs: Readonly<Record<string, readonly [string, string?]>> = {
  farcall: ['farcall', 'farcall'],
  http: ['http', 'http/1.1'],
  'json-rpc': ['json-rpc'],
  geerpc: ['geerpc'],
  'geerpc-http': ['geerpc'],
  'myrpc-http': ['geerpc'],
  'net-rpc': ['net-rpc'],
  'net-rpc-http': ['net-rpc'],
  'lab-json': ['lab-json'],
}

/** Calls by each protocol at a target without one, and by the one that knows bare names alone. */
async function callByAll(target: string, transport: 'tls' | 'unix'): Promise<void> {
  for (const [name, [spoken, alpn]] of Object.entries(spokenAs)) {
    await using client = connect(`${name}+${target}`, { tls: { ca }, logger: silentLogger })
    const agreed = (transport === 'tls' ? alpn : undefined) ?? 'nothing'
    const told = await client.service<typeof math>('math').spoken()
    assert.equal(told, `${spoken} over ${transport}, ${agreed} agreed`, name)
  }
  await using lab = connect(`lab-protobuf+${target}`, { tls: { ca }, logger: silentLogger })
  assert.equal(await lab.service<Calculator>('').add(1, 2), 13)
}

/** A call of net/rpc: one stream of gob. */
function netRpcCall(): Uint8Array {
  const [encoder, output] = [new GobEncoder(), new MemoryOutput()]
  const Request = gob.struct('Request', { ServiceMethod: gob.string, Seq: gob.uint })
  encoder.encode({ ServiceMethod: 'math.spoken', Seq: 1 }, output, Request)
  encoder.encode({}, output, gob.struct('', {}))
  return output.take()
}

/** What programs send that know nothing of Farcall, and what they are answered. */
const raw: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  [
    'http',
    'POST /math/add HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n[1, 2]',
    /^HTTP\/1\.1 200 [^]*\r\n\r\n13\n$/,
  ],
  ['json-rpc', '{"jsonrpc":"2.0","id":1,"method":"math.add","params":[1,2]}', /"result":13\}\n$/],
  ['lab-json', '{"method_name": "add", "method_args": [1, 2]}', /^\{"res": 13\}$/],
  [
    'geerpc',
    '{"MagicNumber":3927900,"CodecType":"application/json"}\n{"ServiceMethod":"math.spoken","Seq":1,"Error":""}\n{}\n',
    /"Error":""\}\n"geerpc over/,
  ],
  [
    'geerpc behind CONNECT',
    'CONNECT /_geeprc_ HTTP/1.0\n\n{"MagicNumber":3927900,"CodecType":"application/json"}\n{"ServiceMethod":"math.spoken","Seq":1,"Error":""}\n{}\n',
    /^HTTP\/1\.0 200 Connected to Gee RPC\n\n[^]*"geerpc over/,
  ],
  ['net-rpc', netRpcCall(), /net-rpc over/],
]

async function hears(stream: Duplex, sent: string | Uint8Array, wanted: RegExp): Promise<void> {
  stream.write(sent)
  let heard = ''
  for await (const chunk of stream) {
    heard += (chunk as Buffer).toString('latin1')
    if (wanted.test(heard)) break
  }
  stream.destroy()
  assert.match(heard, wanted)
}

describe('inside of TLS', () => {
  it('our client calls by every protocol', async () => {
    await using server = await secure()
    await callByAll(`tls://localhost:${portOf(server)}`, 'tls')
    await using https = connect(`https://localhost:${portOf(server)}`, { tls: { ca }, logger: silentLogger })
    assert.equal(await https.service<typeof math>('math').add(1, 2), 13)
  })

  for (const [name, sent, wanted] of raw)
    it(`${name}, from who agrees on no protocol beforehand, in one piece and byte by byte`, async () => {
      await using server = await secure()
      const dial = async () => {
        const socket = connectTls({ port: portOf(server), host: 'localhost', ca: ca ?? '' })
        await once(socket, 'secureConnect')
        return socket
      }
      await hears(await dial(), sent, wanted)
      const socket = await dial()
      const bytes = Buffer.from(sent)
      for (const byte of bytes.subarray(0, -1)) socket.write(Buffer.of(byte))
      await hears(socket, bytes.subarray(-1), wanted)
    })

  it('curl', { skip: noCurl }, async () => {
    await using server = await secure()
    const url = `https://127.0.0.1:${portOf(server)}`
    const curl = async (...args: string[]) =>
      (await run('curl', ['-sSk', '--max-time', '10', ...args])).stdout
    const type = ['-H', 'content-type: application/json']
    assert.equal(await curl(`${url}/math/add`, ...type, '-d', '[1, 2]'), '13\n')
    assert.equal(await curl(`${url}/math/spoken`, ...type, '-d', '[]'), '"http over tls, http/1.1 agreed"\n')
    assert.equal(
      await curl('--no-alpn', `${url}/math/spoken`, ...type, '-d', '[]'),
      '"http over tls, nothing agreed"\n',
    )
    // What it is told to type is https, too.
    assert.match(await curl(`${url}/math/add`), /curl https:\/\/127\.0\.0\.1:\d+\/math\/add -H/)
    assert.match(await curl(`${url}/debug/farcall?format=json`), /"sessions":\{"http":1\}/)
    assert.match(await curl('-H', `origin: ${url}`, `${url}/healthz`), /"ok"/)
    assert.match(await curl('-H', `origin: ${url.replace('https', 'http')}`, `${url}/metrics`), /may not use/)
    assert.match(await curl('-H', `origin: ${url}`, `${url}/metrics`), /farcall_up 1/)
    await assert.rejects(run('curl', ['-sS', `http://127.0.0.1:${portOf(server)}/`]))
  })

  it('node:https', async () => {
    await using server = await secure()
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const path = '/math/add'
      const asked = request({ host: 'localhost', port: portOf(server), path, method: 'POST', headers, ca })
      asked.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => resolve(text))
      })
      asked.on('error', reject)
      asked.end('[1, 2]')
    })
    assert.equal(answer, '13\n')
  })

  it('our client calls a server of HTTPS that agrees on HTTP alone', async () => {
    const other = createServer(tls, (_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('13\n')
    })
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const { port } = other.address() as { port: number }
    try {
      await using client = connect(`https://localhost:${port}`, { tls: { ca }, logger: silentLogger })
      assert.equal(await client.service<typeof math>('math').add(1, 2), 13)
    } finally {
      other.close()
    }
  })
})

describe('on a unix socket', { skip: process.platform === 'win32' ? 'there are none' : false }, () => {
  it('our client calls by every protocol', async () => {
    using place = folder({})
    const path = join(place.path, 's')
    await using _server = await begin({ listen: `unix:${path}` })
    await callByAll(`unix:${path}`, 'unix')
  })

  for (const [name, sent, wanted] of raw)
    it(`${name}, from who knows nothing of Farcall`, async () => {
      using place = folder({})
      const path = join(place.path, 's')
      await using _server = await begin({ listen: `unix:${path}` })
      await hears(connectTcp(path), sent, wanted)
    })

  it('curl, which sees the pages', { skip: noCurl }, async () => {
    using place = folder({})
    const path = join(place.path, 's')
    await using _server = await begin({ listen: `unix:${path}` })
    const curl = async (...args: string[]) =>
      (await run('curl', ['-sS', '--max-time', '10', '--unix-socket', path, ...args])).stdout
    assert.match(await curl('http://math.example/metrics'), /farcall_up 1/)
    assert.match(
      await curl(
        'http://x/rpc',
        '-H',
        'content-type: application/json',
        '-d',
        '{"jsonrpc":"2.0","id":1,"method":"math.add","params":[1,2]}',
      ),
      /"result":13/,
    )
  })
})
