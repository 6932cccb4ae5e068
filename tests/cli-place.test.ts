// The flags of the older clients: -i, -p, -m and --protocol, on every command that asks somebody.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { farcall, folder, startFarcall, startRegistry, startTools, tools } from './support/cli.ts'
import { buildGo, noGo, startGoServer } from './support/go-peer.ts'
import { start } from './support/process.ts'
import { noPython } from './support/python-peer.ts'

type Started = Awaited<ReturnType<typeof startTools>>

const portOf = (target: string) => target.replace(/.*:/, '')

describe('-i, -p, -m and --protocol', { concurrency: 2 }, () => {
  let registry: Started
  let server: Started
  before(async () => {
    registry = await startRegistry()
    server = await startTools(['--registry', registry.target, '--id', 'one'])
    await server.line(/has this server as/)
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  /** `S` and `R` stand for the ports of the server and the registry. */
  const run = (line: string, env: Record<string, string> = {}) => {
    const words = line
      .split(' ')
      .map((word) =>
        word
          .replace(/^(-p|.*:)?S$/, `$1${portOf(server.target)}`)
          .replace(/^(-p|.*:)?R$/, `$1${portOf(registry.target)}`),
      )
    return farcall(words, { env })
  }

  const printed: [string, string, string, Record<string, string>?][] = [
    ['a server at a port of this machine', 'call tools.add 1 2 -p S', '13\n'],
    ['its host, too', 'call tools.add 1 2 --host localhost --port S', '13\n'],
    ['a value beside its flag', 'call tools.add 1 2 -pS -i127.0.0.1 -mserver', '13\n'],
    ['a method without its service', 'call add 1 2 -p S', '13\n'],
    ['the same with names', 'call add 1 --b 2 -p S', '13\n'],
    ['an older protocol', 'call add 1 2 -p S --protocol lab-json', '13\n'],
    ['the same with names for some', 'call add 1 --b 2 -p S --protocol lab-json', '13\n'],
    ['a protocol of a target', 'call tools.add 1 2 --at 127.0.0.1:S --protocol http', '13\n'],
    ['through the registry', 'call tools.add 1 2 -m registry -p R', '13\n'],
    ['a bare method through the registry', 'call add 1 --b 2 -m registry -p R', '13\n'],
    ['only those that speak a protocol', 'call add 1 2 -m registry -p R --protocol lab-json', '13\n'],
    ['the mode decides', 'call add 1 2 -m registry --registry 127.0.0.1:R --at 127.0.0.1:1', '13\n'],
    ['or else what was said more directly', 'call add 1 2 -p S', '13\n', { FARCALL_REGISTRY: '127.0.0.1:1' }],
    ['the registry of a file', 'call add 1 2 -m registry', '13\n', { FARCALL_REGISTRY: '127.0.0.1:R' }],
    ['names of arguments that are flags', 'call tools.kind --arg.value 1 -p S', 'number\n'],
  ]
  for (const [what, line, wanted, env = {}] of printed) {
    it(`${what}: ${line}`, async () => {
      const port = portOf(registry.target)
      const own = Object.entries(env).map(([name, value]) => [name, value.replace(/R$/, port)])
      const { code, stdout, stderr } = await run(line, Object.fromEntries(own))
      assert.equal(stderr, '')
      assert.equal(stdout, wanted)
      assert.equal(code, 0)
    })
  }

  const refused: [string, number, RegExp][] = [
    ['call add 1 -p x', 2, /--port should be a port from 0 to 65535, got 'x'/],
    ['call add 1 -p S -m sever', 2, /Allowed choices are server, registry/],
    [
      'call add 1 -p S --protocol lab-jsn',
      2,
      /unknown protocol 'lab-jsn'; did you mean lab-json\?[^]*there are: farcall, /,
    ],
    ['call add 1 -p S --at 127.0.0.1:S', 2, /--at and -i, -p both name a server/],
    ['call add 1 -p R -m registry --registry a', 2, /--registry and -i, -p both name a registry/],
    ['call add 1 -p S --registry a', 2, /--mode server or --mode registry says which/],
    ['call add 1 -m server', 2, /which server\?/],
    ['call add 1 -m registry', 2, /which registry\?/],
    ['call add 1 -i 127.0.0.1:S', 2, /--host should be a host, got .*its port is given with -p/s],
    ['call add 1 --at lab-json://127.0.0.1:S --protocol http', 2, /is to be spoken to in lab-json/],
    ['call ad 1 -p S', 1, /no service has a method 'ad'/],
    ['call ad 1 -m registry -p R', 3, /no instance with a method 'ad' at registry/],
    ['call tools.count 1 -p S --protocol lab-json', 1, /'lab-json' cannot carry/],
    ['call tools.add 1 -m registry -p R --protocol net-rpc-http', 3, /cannot speak to the 1 that are there/],
    ['call tools.add 1 2 -p 1', 3, /nothing listens at tcp:\/\/127\.0\.0\.1:1/],
    [
      'call tools.add 1 2 -m registry -p 1 --protocol http',
      3,
      /cannot be reached[^]*farcall registry -p 1\n/,
    ],
    ['serve x.ts -l a --host b', 2, /'-i, --host <host>' cannot be used with option '-l, --listen/],
  ]
  for (const [line, wanted, pattern] of refused) {
    it(`tells what is wrong with: ${line}`, async () => {
      const { code, stdout, stderr } = await run(line)
      assert.match(stderr, pattern)
      assert.doesNotMatch(stderr, /\n\s+at /)
      assert.equal(stdout, '')
      assert.equal(code, wanted)
    })
  }

  it('list and methods have them', async () => {
    const byRegistry = await run('list -m registry -p R --protocol lab-json')
    assert.match(byRegistry.stdout, /^one\s+up/m)
    assert.match(
      (await run('list -m registry -p R --protocol net-rpc-http')).stdout,
      /no instances for net-rpc-http/,
    )
    assert.match((await run('list -p S')).stdout, /tools\s+1\.2\s+add, kind/)
    assert.match((await run('methods -p S')).stdout, /^tools 1\.2\n {2}add\(a, b, c=10\)/)
    const older = await run('methods -m registry -p R --protocol lab-json')
    assert.match(older.stdout, /^lab-json\+tcp:\/\/127\.0\.0\.1:\d+\n {2}add\(a, b, c=10\)\n/)
    assert.match((await run('methods -p S --protocol geerpc')).stdout, /^tools 1\.2\n {2}add\(a, b, c=10\)\n/)
  })

  it('serve and registry listen at --host and -i', async () => {
    await using another = startFarcall(['registry', '-i', '127.0.0.1', '-p', '0'])
    await another.line(/listening at tcp:\/\/127\.0\.0\.1:/)
    await using served = startFarcall(['serve', tools, '--host', '127.0.0.1', '-p', '0'])
    await served.line(/listening at tcp:\/\/127\.0\.0\.1:/)
  })

  it('a registry of an older system that is down is told at once', async () => {
    for (const line of ['call add 1', 'list add', 'methods add']) {
      const { code, stderr } = await run(`${line} --registry lab-registry+tcp://127.0.0.1:1`)
      assert.match(stderr, /the registry cannot be reached: .*nothing listens at tcp:\/\/127\.0\.0\.1:1/)
      assert.equal(code, 3)
    }
  })

  it('the folder of an older system says which registry, and -i and -p where else', async () => {
    using place = folder({ 'config.yaml': 'Registry:\n  host: 127.0.0.1\n  port: 1\n' })
    const options = { cwd: place.path }
    const set = await farcall(['call', 'add', '1', '-m', 'registry'], options)
    assert.match(set.stderr, /nothing listens at tcp:\/\/127\.0\.0\.1:1 /)
    const moved = await farcall(['list', 'add', '-m', 'registry', '-p', '2'], options)
    assert.match(moved.stderr, /nothing listens at tcp:\/\/127\.0\.0\.1:2 /)
  })
})

describe('servers of the older systems', () => {
  it('in Go, with the types that its methods take', { skip: noGo() }, async () => {
    await using go = await startGoServer(buildGo('geerpc'))
    const call = (...words: string[]) =>
      farcall(['call', ...words, '--protocol', 'geerpc', '-i', '127.0.0.1', '-p', portOf(go.address)])
    assert.equal((await call('Foo.Sum', '{"Num1":1,"Num2":2}')).stdout, '3\n')
    assert.equal((await call('Foo.Sum', '--Num1', '1', '--Num2', '2')).stdout, '3\n')
    assert.equal((await call('Foo.Upper', 'hello')).stdout, 'HELLO\n')
    assert.equal((await call('Foo.Half', '3.0')).stdout, '1.5\n')
    const whole = await call('Foo.Half', '3')
    assert.match(
      whole.stderr,
      /^error: gob: .*float64.*\n next: to Go a whole number is an int, and 3\.0 a float/,
    )
    assert.equal(
      (await farcall(['call', 'Foo.Sum', '{"Num1":2}', '--at', `tcp@${hostPort(go.address)}`])).stdout,
      '2\n',
    )
    const methods = await farcall(['methods', '--protocol', 'geerpc', '-p', portOf(go.address)])
    assert.match(methods.stderr, /this server does not describe itself/)
  })

  it('in Python: bare names, names of arguments, all_your_methods', { skip: noPython() }, async () => {
    const program = fileURLToPath(new URL('peers/python/lab_server.py', import.meta.url))
    await using python = start('python3', [program, '-l', '127.0.0.1', '-p', '0'])
    const [, port = ''] = await python.line(/listening on \S+:(\d+)/)
    const ask = async (...words: string[]) =>
      (await farcall([...words, '--protocol', 'lab-json', '-p', port])).stdout
    assert.equal(await ask('call', 'add', '1', '2'), '13\n')
    assert.equal(await ask('call', 'add', '1', '--b', '2'), '13\n')
    assert.equal(await ask('call', 'add', '--a', '1', '--b', '2', '--c', '3'), '6\n')
    assert.match(await ask('methods'), /^lab-json\+tcp:\S+\n {2}add\(a, b, c=10\)\n {2}sub\(a, b\)\n/)
    assert.match(await ask('list'), /add, sub, mul/)
  })
})

function hostPort(address: string): string {
  return address.replace(/^.*\/\//, '')
}
