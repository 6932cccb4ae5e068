import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { it } from 'node:test'
import { farcall, folder, startFarcall, startRegistry, startTools, tools } from './support/cli.ts'

it('a registry, a server, and who asks for them: list, methods, watch, call', async () => {
  await using registry = await startRegistry()
  const flags = ['--registry', registry.target]
  const none = await farcall(['list', ...flags])
  assert.match(none.stdout, /has no instances/)
  await using watcher = startFarcall(['watch', 'tools', ...flags])
  await watcher.line(/nobody is there yet/)
  await using server = await startTools([
    ...flags,
    '--id',
    'one',
    '--zone',
    'berlin',
    '--metadata',
    'tier=gold',
  ])
  await watcher.line(
    /\+ up\s+one {2}zone berlin {2}tcp:\/\/127\.0\.0\.1:\d+ \(farcall, http, .*lab-protobuf\)$/m,
  )

  const listed = await farcall(['list', ...flags])
  assert.match(listed.stdout, /INSTANCE\s+STATUS\s+ZONE/)
  // Every protocol is spoken at the one address, which therefore stands there once.
  assert.match(
    listed.stdout,
    /one\s+up\s+berlin\s+\d+ s ago\s+tcp:\/\/127\.0\.0\.1:\d+\s+tools 1\.2\s+farcall, http, .*lab-protobuf\n1 instance/,
  )
  const json = JSON.parse((await farcall(['list', '--json', ...flags])).stdout) as {
    instances: { id: string; metadata: unknown; endpoints: string[] }[]
  }
  assert.deepEqual(
    json.instances.map(({ id, metadata }) => [id, metadata]),
    [['one', { tier: 'gold' }]],
  )
  assert.ok(json.instances[0]?.endpoints.some((endpoint) => endpoint.startsWith('lab-json+tcp://')))
  // The registry's log is as short as that, and names no protocol that can only be asked for by name.
  await registry.line(/registered one at tcp:\/\/127\.0\.0\.1:\d+ \(tools\)/)
  await server.line(/listening at tcp:\/\/127\.0\.0\.1:\d+ \(farcall, http, .*lab-protobuf\)/)
  assert.doesNotMatch(server.output, /geerpc-http|json-rpc-1/)

  const shown = await farcall(['methods', 'tools', ...flags])
  assert.match(shown.stdout, /^tools 1\.2\n {2}add\(a, b, c=10\)/)
  assert.match(shown.stdout, /count\(upTo\)\s+gives a stream/)
  assert.match(shown.stdout, /total\(numbers\)\s+takes a stream · idempotent · Adds up a stream\./)
  assert.equal((await farcall(['methods', ...flags])).code, 0)
  assert.equal((await farcall(['call', 'tools.add', '1', '2', ...flags])).stdout, '13\n')
  const broadcast = await farcall(['call', 'tools.add', '1', '2', '--broadcast', ...flags])
  assert.equal(broadcast.stdout, `${server.target}  13\n`)
  const nobody = await farcall(['call', 'tool.add', '1', ...flags])
  assert.match(nobody.stderr, /no instance of 'tool'/)
  assert.equal(nobody.code, 3)

  assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null })
  await watcher.line(/- gone\s+one\s+\(unregistered/)
  assert.deepEqual(await watcher.stop('SIGINT'), { code: 0, signal: null })
  assert.deepEqual(await registry.stop('SIGINT'), { code: 0, signal: null })
})

it('a weight other than 1 is shown', async () => {
  await using registry = await startRegistry()
  const flags = ['--registry', registry.target]
  await using watcher = startFarcall(['watch', 'tools', ...flags])
  await using _server = await startTools([...flags, '--id', 'heavy', '--weight', '2.5', '--adapt-weight'])
  await watcher.line(/\+ up\s+heavy\s+weight 2\.5\s+tcp:/)
  const listed = await farcall(['list', ...flags])
  assert.match(listed.stdout, /ZONE\s+WEIGHT\s+STARTED/)
  assert.match(listed.stdout, /heavy\s+up\s+–\s+2\.5\s/)
})

it('speaks only what it is told to, and the registry is only the older ones that it is told to be', async () => {
  await using registry = await startRegistry(['--faces', 'json'])
  const http = registry.target.replace('registry:', 'http:')
  const statusOf = async (path: string) => (await fetch(`${http}${path}`)).status
  assert.equal(await statusOf('/myRegistry/findAllInstances?proto=json'), 200)
  assert.equal(await statusOf('/_geerpc_/registry'), 404)
  await using server = await startTools(['--protocols', 'farcall,json-rpc'])
  await server.line(/listening at \S+ \(farcall, json-rpc\)/)
  for (const [args, message] of [
    [['registry', '-p', '0', '--faces', 'xml'], /error: unknown older registry 'xml'/],
    [['serve', tools, '-p', '0', '--protocols', 'soap'], /error: .*'soap'/],
  ] as const) {
    const { code, stderr } = await farcall(args)
    assert.match(stderr, message)
    assert.equal(code, 2)
  }
})

it('serves while the registry is down, says so, stops all the same; with it, registers', async () => {
  await using server = await startTools(['--registry', '127.0.0.1:1'])
  await server.line(/registry:\/\/127\.0\.0\.1:1.*nothing listens/)
  assert.equal((await farcall(['call', 'tools.add', '1', '2', '--at', server.target])).stdout, '13\n')
  assert.deepEqual(await server.stop('SIGTERM'), { code: 0, signal: null })
})

it('watch tells when the registry is gone, and goes on when it is back', async () => {
  const first = await startRegistry()
  const port = first.target.replace(/.*:/, '')
  await using watcher = startFarcall(['watch', 'tools', '--registry', first.target])
  await watcher.line(/nobody is there yet/)
  await first.stop('SIGKILL')
  await watcher.line(/cannot be reached/)
  await using _second = await startRegistry(['-p', port])
  await watcher.line(/cannot be reached[^]*nobody is there yet/)
})

it('with --json says where it listens, as a line on stdout; list and methods ask a server', async () => {
  const server = startFarcall([
    'serve',
    tools,
    '-l',
    '::',
    '-p',
    '0',
    '--json',
    '--log-level',
    'error',
    '--id',
    'x',
  ])
  await using _stopped = server
  const [line] = await server.line(/^\{.*\}$/m)
  const { event, id, targets } = JSON.parse(line) as { event: string; id: string; targets: string[] }
  assert.deepEqual([event, id], ['listening', 'x'])
  const at = (targets[0] ?? '').replace('[::]', '[::1]')
  const listed = await farcall(['list', '--at', at])
  assert.match(listed.stdout, /tools\s+1\.2\s+add, kind/)
  const described = JSON.parse((await farcall(['methods', 'tools', '--at', at, '--json'])).stdout) as {
    name: string
  }[]
  assert.equal(described[0]?.name, 'tools')
})

it('logs to a file: calls with peer, arguments, result and duration, secrets left out', async () => {
  using place = folder({})
  const file = join(place.path, 'logs', 'tools.log')
  await using server = await startTools(['--log-file', file, '--redact', 'pin'])
  await farcall(['call', 'tools.login', 'ada', 'geheim', '4711', '--at', server.target])
  await farcall(['call', 'tools.fail', '--at', server.target])
  await server.stop('SIGTERM')
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one) as Record<string, unknown>)
  const events = lines.map(({ event }) => event)
  for (const event of ['service', 'listening', 'connected', 'call', 'closed', 'failed', 'stopped'])
    assert.ok(events.includes(event), event)
  const called = lines.find(({ call }) => call === 'tools.login')
  assert.equal(called?.['result'], '"ada 6 4711"')
  assert.match(String(called?.['arguments']), /"user":"ada","password":"\[redacted\]","pin":"\[redacted\]"/)
  assert.match(String(called?.['peer']), /127\.0\.0\.1:\d+/)
  assert.match(String(called?.['msg']), /^tools\.login .* → "ada 6 4711" {2}[\d.]+ ms {2}127\.0\.0\.1:\d+$/)
  assert.match(JSON.stringify(lines.find(({ event }) => event === 'failed')), /a secret of the server/)
})

it('takes calls only with the token, and logs who had none', async () => {
  await using server = await startTools([], { FARCALL_TOKEN: 'sesame' })
  const without = await farcall(['call', 'tools.add', '1', '2', '--at', server.target])
  assert.match(without.stderr, /a token is required/)
  assert.match(without.stderr, /FARCALL_TOKEN/)
  assert.equal(without.code, 1)
  await server.line(/refused tools\.add of 127\.0\.0\.1/)
  const env = { FARCALL_TOKEN: 'sesame' }
  assert.equal(
    (await farcall(['call', 'tools.add', '1', '2', '--at', server.target], { env })).stdout,
    '13\n',
  )
  assert.equal((await farcall(['methods', '--at', server.target], { env })).code, 0)
})

it('a busy port is an error that tells the next step, code 1', async () => {
  const busy = createServer()
  busy.listen(0, '127.0.0.1')
  await once(busy, 'listening')
  const { port } = busy.address() as { port: number }
  try {
    for (const command of [['serve', tools], ['registry']]) {
      const { code, stderr } = await farcall([...command, '-l', '127.0.0.1', '-p', String(port)])
      assert.match(
        stderr,
        new RegExp(`error: port ${port} on 127\\.0\\.0\\.1 is in use; choose another, or port 0`),
      )
      assert.equal(code, 1)
    }
  } finally {
    busy.close()
  }
})

it('modules that cannot be served say why in a line or two, code 2', async () => {
  using place = folder({
    'functions.ts': 'export const add = (a: number, b: number) => a + b\n',
    'enum.ts': 'enum Color { Red }\nexport const x = Color.Red\n',
    'syntax.ts': 'export const x = {{\n',
    'throws.ts': '\nconst config: { port?: { n: number } } = {}\nexport const n = config.port!.n\n',
    'missing.ts': "import x from 'no-such-package'\nexport { x }\n",
    'relative.ts': "import { x } from './no-such-file.ts'\nexport { x }\n",
    'reserved.ts': "import { service } from 'farcall'\nexport const s = service('then', { a() {} })\n",
  })
  const wanted: [string, RegExp, RegExp?][] = [
    ['nowhere.ts', /there is no file nowhere\.ts/, /counts from/],
    ['functions', /there is no file functions/, /did you mean functions\.ts/],
    ['.', /is a folder/],
    [
      'functions.ts',
      /exports no service; it exports add/,
      /export const functions = service\('functions', \{ add \}\)/,
    ],
    ['enum.ts', /enum\.ts:1\).*enum is not supported/, /erasableSyntaxOnly/],
    ['syntax.ts', /is no valid TypeScript \(syntax\.ts:1\)/],
    ['throws.ts', /throws\.ts:3:\d+\): Cannot read properties of undefined/],
    ['missing.ts', /imports 'no-such-package', which is not installed/, /npm install no-such-package/],
    ['relative.ts', /imports no-such-file\.ts, and there is no such file/],
    ['reserved.ts', /reserved\.ts:2:\d+\): service 'then' cannot have this name/],
  ]
  for (const [path, error, next] of wanted) {
    const { code, stderr } = await farcall(['serve', path, '-p', '0'], { cwd: place.path })
    assert.match(stderr, error)
    if (next !== undefined) assert.match(stderr, next)
    assert.doesNotMatch(stderr, /\n\s+at /)
    assert.equal(code, 2, path)
  }
})

it('a module in an empty folder can import farcall', async () => {
  using place = folder({
    'math.ts':
      "import { service } from 'farcall'\nexport default [service('math', { add: (a: number, b: number) => a + b })]\n",
  })
  await using server = startFarcall(['serve', join(place.path, 'math.ts'), '-l', '127.0.0.1', '-p', '0'])
  const [, at = ''] = await server.line(/listening at (tcp:\S+)/)
  assert.equal((await farcall(['call', 'math.add', '1', '2', '--at', at])).stdout, '3\n')
})

it('a module that throws outside of any call ends the server, with a line in the log', async () => {
  using place = folder({
    'late.ts':
      "import { service } from 'farcall'\nexport const late = service('late', { crash: () => void setTimeout(() => { throw new Error('too late') }, 1) })\n",
  })
  await using server = startFarcall(['serve', join(place.path, 'late.ts'), '-l', '127.0.0.1', '-p', '0'])
  const [, at = ''] = await server.line(/listening at (tcp:\S+)/)
  await farcall(['call', 'late.crash', '--at', at])
  await server.line(/the module threw outside of any call: too late/)
  await new Promise((resolve) => {
    if (server.child.exitCode !== null) resolve(undefined)
    else server.child.once('exit', resolve)
  })
  assert.equal(server.child.exitCode, 1)
})
