// Flags that say what a server or registry answers beside calls of our own, and to whom.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { farcall, startRegistry, startTools, tools } from './support/cli.ts'
import { rawSocket } from './support/raw-socket.ts'

/** What the first answer to a request over HTTP begins with, and all of it. */
async function ask(target: string, request: string): Promise<string> {
  using socket = await rawSocket(target.replace('registry:', 'tcp:'))
  await socket.send(request)
  return await socket.gone
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}) => {
  const all = { host: 'localhost', connection: 'close', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
const beat = (family: string, port: number) =>
  `POST /_${family}_/registry HTTP/1.0\r\nX-${family}-Server: tcp@10.0.0.5:${port}\r\n\r\n`

it('serve: the names by which it is known, pages of other sites, and the token of the debug page', async () => {
  const flags = ['--http-host', 'math.example', '--http-origin', 'https://app.example']
  await using server = await startTools(flags, { FARCALL_DEBUG_TOKEN: 'geheim' })
  const { target } = server
  assert.match(await ask(target, get('/', { host: 'math.example' })), /^HTTP\/1\.1 200 /)
  const other = await ask(target, get('/', { host: 'evil.example' }))
  assert.match(
    other,
    /^HTTP\/1\.1 421 [^]*http: \{ hosts: \['evil\.example'\] \}, or --http-host evil\.example/,
  )
  const origin = (name: string) => ({ origin: `https://${name}.example` })
  assert.match(await ask(target, get('/', origin('app'))), /^HTTP\/1\.1 200 /)
  assert.match(
    await ask(target, get('/', origin('evil'))),
    /^HTTP\/1\.1 403 [^]*or --http-origin https:\/\/evil/,
  )
  assert.match(await ask(target, get('/metrics')), /^HTTP\/1\.1 401 /)
  assert.match(await ask(target, get('/metrics', { authorization: 'Bearer geheim' })), /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(server.output, /geheim/)
  const shown = await farcall(['config'], { env: { FARCALL_DEBUG_TOKEN: 'geheim' } })
  assert.match(shown.stdout, /debugToken\s+\(hidden\)\s+environment FARCALL_DEBUG_TOKEN/)
})

it('serve: only the protocols that are named are spoken', async () => {
  await using server = await startTools(['--protocols', 'farcall,lab-json'])
  await server.line(/listening at \S+ \(farcall, lab-json\)/)
  assert.equal((await farcall(['call', 'tools.add', '1', '2', '--at', server.target])).stdout, '13\n')
  assert.equal(await ask(server.target, get('/')), '')
  await server.line(/was refused: it is nothing that is spoken here/)
})

it('serve: the service that bare names mean, and exceptions as the older systems tell them', async () => {
  await using server = await startTools(['--bare-service', 'tools', '--expose-exceptions'])
  const bare = ['--protocol', 'lab-json', '--at', server.target]
  assert.equal((await farcall(['call', 'add', '1', '2', ...bare])).stdout, '13\n')
  const failed = await farcall(['call', 'tools.fail', '--at', server.target])
  assert.match(failed.stderr, /error: a secret of the server/)
  const misnamed = await farcall(['serve', tools, '-p', '0', '--bare-service', 'tool'])
  assert.match(misnamed.stderr, /unknown service 'tool'; did you mean tools\?/)
})

it('registry: who may write, as what it answers, and how long', async () => {
  await using registry = await startRegistry(['--faces', 'header', '--allow', '192.0.2.0/24'])
  const { target } = registry
  const refused = await ask(target, beat('geerpc', 1))
  assert.match(refused, /^HTTP\/1\.1 403 [^]*127\.0\.0\.1 may not register .*only 192\.0\.2\.0\/24 may/)
  assert.match(
    refused,
    /faces: \{ allow: \[.*, '127\.0\.0\.1'\] \}, or farcall registry --allow .* --allow 127/,
  )
  assert.match(await ask(target, get('/myRegistry/findAllInstances?proto=json')), /^HTTP\/1\.1 404 /)
  assert.match(await ask(target, get('/_geerpc_/registry')), /^HTTP\/1\.1 200 /)
  await registry.stop('SIGTERM')

  const flags = ['--allow', '192.0.2.0/24', '--allow', 'private', '--lease', 'header=700']
  await using open = await startRegistry(flags)
  assert.match(await ask(open.target, beat('myrpc', 2)), /^HTTP\/1\.1 200 /)
  await open.line(/registered header:geerpc\+tcp:\/\/10\.0\.0\.5:2/)
  await open.line(/expired header:geerpc\+tcp:\/\/10\.0\.0\.5:2/)
})

it('registry: no older registries at all, and its own protocol alone', async () => {
  await using registry = await startRegistry(['--faces', 'none', '--protocols', 'farcall'])
  await registry.line(/listening at \S+ \(farcall\)/)
  assert.equal(await ask(registry.target, get('/_geerpc_/registry')), '')
  await using _server = await startTools(['--registry', registry.target])
  await registry.line(/registered \S+ at/)
})
