// A server that asks for tokens, asked by every protocol that it speaks: none is a way around, and what cannot send a
// token is refused, unless it is named.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { currentCall, requireToken, type Server, serve, service, silentLogger, startRegistry } from 'farcall'
import { gob } from '../src/codecs/gob/index.ts'
import { rawSocket } from './support/raw-socket.ts'

let ran = 0
const vault = service('vault', {
  open: (what?: unknown) => {
    ran++
    return `the secret ${String(what)} for ${String(currentCall()?.identity)}`
  },
})
const layers = [requireToken({ token: 's3cret' })]

/** What is answered, until the server has ended the connection or nothing more is to come. */
async function ask(target: string, sent: string | Uint8Array, until: RegExp): Promise<string> {
  using socket = await rawSocket(target)
  await socket.send(sent)
  return await socket.until(until)
}

const token = { authorization: 'Bearer s3cret' }
const http = (line: string, headers: Readonly<Record<string, string>> = {}, body = '') => {
  const all = { host: 'localhost', connection: 'close', 'content-length': String(body.length), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
const json = { 'content-type': 'application/json' }
const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  http(`POST ${path}`, { ...json, ...headers }, body)
const option = (codec: string) => `{"MagicNumber":3927900,"CodecType":"application/${codec}"}\n`
const geerpc = (method: string) =>
  `${option('json')}{"ServiceMethod":"${method}","Seq":1,"Error":""}\n{"what":1}\n`
const jsonRpc = (method: string) => `{"jsonrpc":"2.0","id":1,"method":"${method}","params":[1]}`
const labProtobuf = (type: string, name: string) =>
  `\n${String.fromCharCode(type.length)}${type}\x12${String.fromCharCode(name.length)}${name}`
const Request = gob.struct('Request', { ServiceMethod: gob.string, Seq: gob.uint })
const gobCall = (method: string) =>
  Buffer.concat([gob.encode({ ServiceMethod: method, Seq: 1 }, Request), gob.encode(1)])

/** Each way to call a method of a service. */
const ways = (service: string, method: string): readonly (readonly [string, string | Uint8Array])[] => [
  ['http', post(`/${service}/${method}`, '[1]')],
  ['http, named at once', post(`/${service}.${method}`, '[1]')],
  ['http, one-way', post(`/${service}/${method}`, '[1]', { 'farcall-oneway': 'true' })],
  ['http, the wrong token', post(`/${service}/${method}`, '[1]', { authorization: 'Bearer other' })],
  ['json-rpc', jsonRpc(`${service}.${method}`)],
  ['json-rpc, a batch', `[${jsonRpc(`${service}.${method}`)}]`],
  ['json-rpc 1.0', `{"method":"${service}.${method}","params":[1],"id":0}`],
  ['json-rpc over HTTP', post('/rpc', jsonRpc(`${service}.${method}`))],
  [
    'json-rpc over HTTP, the wrong token',
    post('/rpc', jsonRpc(`${service}.${method}`), { authorization: 'x' }),
  ],
  ['lab-json', `{"method_name":"${service}.${method}","method_args":[1]}`],
  ['lab-protobuf', labProtobuf('call', `${service}.${method}`)],
  ['geerpc in JSON', geerpc(`${service}.${method}`)],
  ['geerpc in gob', Buffer.concat([Buffer.from(option('gob')), gobCall(`${service}.${method}`)])],
  ['geerpc behind CONNECT', `CONNECT /_geeprc_ HTTP/1.0\n\n${geerpc(`${service}.${method}`)}`],
  ['net-rpc', gobCall(`${service}.${method}`)],
  [
    'net-rpc behind CONNECT',
    Buffer.concat([Buffer.from('CONNECT /_goRPC_ HTTP/1.0\n\n'), gobCall(`${service}.${method}`)]),
  ],
]

const bare: readonly (readonly [string, string | Uint8Array])[] = [
  ['http', post('/open', '[1]')],
  ['json-rpc', jsonRpc('open')],
  ['json-rpc over HTTP', post('/rpc', jsonRpc('open'))],
  ['lab-json', '{"method_name":"open","method_args":[1]}'],
  ['lab-protobuf', labProtobuf('call', 'open')],
]

const refusal = /a token is required|the token is not accepted|202 Accepted/

describe('a server that asks for tokens', () => {
  let server: Server
  let target = ''
  before(async () => {
    server = await serve([vault], { port: 0, layers, logger: silentLogger })
    target = server.targets[0] ?? ''
  })
  after(() => server.close({ graceMs: 0 }))

  const refused = [
    ...ways('vault', 'open'),
    ...bare.map(([name, sent]) => [`${name}, by a bare name`, sent] as const),
    ...ways('farcall.meta', 'methods').map(([name, sent]) => [`what there is, by ${name}`, sent] as const),
    ['what there is, by all_your_methods', '{"method_name":"all_your_methods"}'] as const,
  ]
  for (const [name, sent] of refused)
    it(`refuses ${name}`, async () => {
      const answer = await ask(target, sent, refusal)
      assert.doesNotMatch(answer, /the secret|open\(/)
      assert.equal(ran, 0)
    })

  it('tells nobody over HTTP what there is, whatever is wrong with the request', async () => {
    for (const path of ['/vault/open', '/vault/nothing', '/nothing/open', '/']) {
      const got = await ask(target, http(`GET ${path}`), /\r\n\r\n[^]*"pages"[^]*\]\n\}\n/)
      assert.doesNotMatch(got, /what|open\(/)
      const posted = await ask(target, http(`POST ${path}`), /^HTTP\/1\.1 4|"pages"/)
      assert.doesNotMatch(posted, /what/)
    }
    const known = await ask(target, http('GET /vault/open', token), /curl/)
    assert.match(known, /^HTTP\/1\.1 405 [^]* -d '\[\\"what\\"\]'/)
  })

  it('takes the token over HTTP, also for JSON-RPC', async () => {
    assert.match(await ask(target, post('/vault/open', '["a"]', token), /secret/), /the secret a for bearer/)
    const batch = `[${jsonRpc('vault.open')},${jsonRpc('open')}]`
    const answer = await ask(target, post('/rpc', batch, token), /\]$/)
    assert.equal(answer.match(/the secret 1 for bearer/g)?.length, 2)
  })
})

it('protocols that are named need no token, and the others do', async () => {
  const named = requireToken({ token: 's3cret', tokenless: ['lab-json', 'geerpc'] })
  await using server = await serve([vault], { port: 0, layers: [named], logger: silentLogger })
  const [target = ''] = server.targets
  for (const [name, sent] of ways('vault', 'open')) {
    const isNamed = /^(lab-json|geerpc)/.test(name)
    const answer = await ask(target, sent, isNamed ? /the secret/ : refusal)
    if (!isNamed) assert.doesNotMatch(answer, /the secret/, name)
  }
})

describe('a registry that asks for tokens', () => {
  it('refuses calls of its service by every protocol', async () => {
    await using registry = await startRegistry({ port: 0, layers, logger: silentLogger })
    const [target = ''] = registry.targets
    for (const [name, sent] of [...ways('farcall.registry', 'register'), ...ways('farcall.registry', 'list')])
      assert.match(await ask(target, sent, refusal), refusal, name)
    for (const type of ['register', 'discover', 'heartbeat']) {
      const asked = `${labProtobuf(type, 'add')}\x22\x05\n\x01a\x10P`
      assert.match(await ask(target, asked, refusal), refusal, type)
    }
    assert.equal(registry.registry.store.size, 0)
  })
})
