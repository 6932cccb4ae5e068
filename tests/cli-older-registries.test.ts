// list, methods and watch, through the registries of older systems: here a registry of ours, asked as if it were theirs.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { farcall, startFarcall, startRegistry, startTools } from './support/cli.ts'

type Started = Awaited<ReturnType<typeof startTools>>

describe('through a registry of an older system', { concurrency: 2 }, () => {
  let registry: Started
  let server: Started
  before(async () => {
    registry = await startRegistry(['--lease', 'json=0'])
    server = await startTools(['--registry', registry.target, '--id', 'one'])
    await server.line(/has this server as/)
    const http = registry.target.replace('registry:', 'http:')
    const headers = { 'x-geerpc-server': 'tcp@10.0.0.5:40001' }
    await fetch(`${http}/_geerpc_/registry`, { method: 'POST', headers })
    const parameters = { zone: 'north', services: 'math' }
    const body = JSON.stringify({ protocol: 'json', host: '10.0.0.6', port: 8080, parameters })
    await fetch(`${http}/myRegistry/register`, { method: 'POST', body })
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  const at = (kind: string, query = '') => registry.target.replace('registry:', `${kind}:`) + query
  const place = () => server.target.replaceAll('.', '\\.')
  const run = (line: string, kind: string) => farcall([...line.split(' '), '--registry', at(kind)])

  it('list has those that speak what its clients do, each with what is known of it', async () => {
    const { stdout, code } = await run('list', 'lab-registry+http')
    assert.match(stdout, /^INSTANCE +STATUS +ZONE +STARTED +ADDRESS +SERVICES +PROTOCOLS\n/)
    assert.match(stdout, /^\S+ +up +north +– +tcp:\/\/10\.0\.0\.6:8080 +math +lab-json$/m)
    // Servers of ours say who they are, also there.
    assert.match(stdout, new RegExp(`^one +up +– +\\S.* ${place()} +tools 1.2 +farcall, lab-json$`, 'm'))
    assert.match(stdout, /\n2 instances, as lab-registry\+http:\/\/127\.0\.0\.1:\d+ answered just now/)
    assert.equal(code, 0)
    for (const kind of ['geerpc-registry+http', 'myrpc-registry+http']) {
      const header = await run('list', kind)
      assert.match(header.stdout, /^geerpc\S+ +up +– +– +tcp:\/\/10\.0\.0\.5:40001 +– +geerpc$/m)
      assert.match(header.stdout, new RegExp(`^geerpc\\S+ .* ${place()} +– +geerpc$`, 'm'))
    }
    const json = JSON.parse((await run('list --json', 'geerpc-registry+http')).stdout) as {
      instances: { endpoints: string[] }[]
    }
    assert.deepEqual(json.instances[0]?.endpoints, ['geerpc+tcp://10.0.0.5:40001'])
  })

  it('list names those for a service, or a protocol', async () => {
    const math = await run('list math --protocol lab-json', 'lab-registry+http')
    assert.match(math.stdout, /10\.0\.0\.6/)
    assert.match(math.stdout, /\n1 instance,/)
    const other = await run('list other --protocol lab-json', 'lab-registry+http')
    assert.doesNotMatch(other.stdout, /10\.0\.0\.6/)
    const none = await run('list --protocol net-rpc', 'geerpc-registry+http')
    assert.match(none.stdout, /^geerpc-registry\+http:\S+ has no instances for net-rpc\n/)
    const own = await run('list nowhere', 'registry')
    assert.doesNotMatch(own.stdout, /^one/m)
  })

  it('one that tells only of what is named is asked by a name', async () => {
    const all = await run('list', 'lab-registry+tcp')
    assert.match(
      all.stderr,
      /tells only who offers what it is asked for\n next: name a service or a method, as f/,
    )
    assert.equal(all.code, 2)
    for (const name of ['add', 'tools', 'tools.add'])
      assert.match((await run(`list ${name}`, 'lab-registry+tcp')).stdout, /^lab-protobuf\+tcp:/m)
    assert.match((await run('list nowhere', 'lab-registry+tcp')).stdout, /has no instance of 'nowhere'\n$/)
  })

  it('a registry that cannot be, or is not there', async () => {
    const wrong = await run('list', 'etcd-registry+http')
    assert.match(
      wrong.stderr,
      /is no registry that is known\n next: there are: registry:\/\/, lab-registry\+http:/,
    )
    assert.equal(wrong.code, 2)
    const option = await farcall(['list', '--registry', at('lab-registry+http', '?pollMs=x')])
    assert.match(option.stderr, /pollMs should be a number/)
    assert.equal(option.code, 2)
    const gone = await farcall(['list', '--registry', 'geerpc-registry+http://127.0.0.1:2'])
    assert.match(gone.stderr, /the registry cannot be reached: .*127\.0\.0\.1:2/)
    assert.equal(gone.code, 3)
    const other = await farcall(['list', '--registry', `geerpc-registry+http://${server.target.slice(6)}`])
    assert.match(other.stderr, /error: .*404/)
  })

  it('methods asks those that it finds', async () => {
    const args = ['methods', 'tools', '--registry', at('lab-registry+tcp')]
    const { stderr, code } = await farcall(args)
    // That protocol has no question for it.
    assert.match(stderr, /error: /)
    assert.equal(code, 1)
  })

  it('watch tells who comes and goes, and when the registry is gone', async () => {
    await using another = await startRegistry()
    const target = another.target.replace('registry:', 'geerpc-registry+http:')
    await using watcher = startFarcall(['watch', 'tools', '--registry', `${target}?pollMs=100&doubtMs=0`])
    await watcher.line(/watching geerpc-registry\+http:\S+: nobody is there yet/)
    const tools = await startTools(['--registry', another.target])
    await watcher.line(/\+ up +geerpc\+tcp:\/\/127\.0\.0\.1:\d+ +tcp:\S+ \(geerpc\)/)
    await tools.stop('SIGTERM')
    await watcher.line(/- gone +geerpc\+tcp:\S+ +\(unlisted\)/)
    await another.stop('SIGTERM')
    await watcher.line(/! the registry cannot be reached/)
    assert.deepEqual(await watcher.stop('SIGINT'), { code: 0, signal: null })
  })
})
