// The image and the compose file, as far as that needs no Docker: what they name is there, and the commands of the
// compose file do what they should, as plain processes of this machine.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { farcall, folder, startFarcall } from './support/cli.ts'
import type { TestProcess } from './support/process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'examples/docker')

interface ComposeService {
  readonly build: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
}

const { services } = parse(readFileSync(join(example, 'compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<string, ComposeService>
}
const service = (name: string) => services[name] as ComposeService

/** The port of a process that listens at all addresses. */
async function portOf(running: TestProcess): Promise<string> {
  const [, port = ''] = await running.line(/listening at tcp:\/\/0\.0\.0\.0:(\d+)/)
  return port
}

describe('examples/docker/compose.yaml', () => {
  it('has a registry, two servers and a client, of the one image, each waited for by those that need it', () => {
    assert.deepEqual(Object.keys(services), ['registry', 'server-a', 'server-b', 'client'])
    for (const [name, { build, volumes, depends_on = {} }] of Object.entries(services)) {
      assert.ok(existsSync(join(example, build, 'Dockerfile')), name)
      for (const volume of volumes) {
        const [from = '', to = '', how] = volume.split(':')
        assert.ok(existsSync(join(example, from)), volume)
        assert.deepEqual([to, how], [`/app/${basename(from)}`, 'ro'])
      }
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        assert.equal(condition, 'service_healthy')
        assert.ok(service(needed).healthcheck !== undefined, needed)
      }
    }
  })

  it('its commands work: the servers register in the docker environment, and the client reaches both', async () => {
    const mounted = Object.fromEntries(
      service('client').volumes.map((volume) => {
        const from = join(example, volume.split(':')[0] ?? '')
        return [basename(from), readFileSync(from, 'utf8')]
      }),
    )
    // All on one machine: ports are free ones, and the name of the registry's container is its address.
    const run = (name: string, cwd: string) =>
      startFarcall(service(name).command, { ...service(name).environment, FARCALL_PORT: '0' }, cwd)
    using first = folder(mounted)
    await using registry = run('registry', first.path)
    const registryPort = await portOf(registry)
    const settings = mounted['farcall.yaml'] ?? ''
    assert.match(settings, /registry:\/\/registry:9999/)
    using place = folder({
      ...mounted,
      'farcall.yaml': settings.replace('registry:9999', `127.0.0.1:${registryPort}`),
    })
    await using a = run('server-a', place.path)
    await using b = run('server-b', place.path)
    const ports = [await portOf(a), await portOf(b)]
    // As the registry sees them, for they listen at all addresses.
    for (const [at, server] of [a, b].entries())
      await server.line(new RegExp(`has this server as tcp://127\\.0\\.0\\.1:${ports[at]}"`))
    for (const [name, port] of [
      ['registry', registryPort],
      ['server-a', ports[0]],
    ] as const) {
      const [url] = (service(name).healthcheck?.test ?? []).slice(-1)
      assert.equal((await fetch(String(url).replace(/:\d+\//, `:${port}/`))).status, 200)
    }
    const { command, environment } = service('client')
    const { stdout, stderr, code } = await farcall(command, { env: environment, cwd: place.path })
    assert.equal(stderr, '')
    assert.deepEqual(
      stdout.trim().split('\n').sort(),
      ports.map((port) => `tcp://127.0.0.1:${port}  13`).sort(),
    )
    assert.equal(code, 0)
    for (const running of [a, b, registry])
      assert.deepEqual(await running.stop('SIGTERM'), { code: 0, signal: null })
  })

  it('its file has an environment for this machine too', async () => {
    const { stdout, code } = await farcall(['config', '--env', 'local'], { cwd: example })
    assert.match(stdout, /^registry\s+registry:\/\/127\.0\.0\.1:9999\s+\S+farcall\.yaml \(local\)$/m)
    assert.equal(code, 0)
  })
})

describe('Dockerfile', () => {
  const lines = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')

  it('copies only what is there and what .dockerignore lets through', () => {
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1))
    for (const path of copied) {
      assert.ok(existsSync(join(root, path)), path)
      assert.ok(ignored.includes(`!${path}`), `${path} is not let through`)
    }
    const through = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
    assert.deepEqual(through.sort(), copied.sort())
  })

  it('ends as a user who is nobody, with farcall as the program', () => {
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
    assert.ok(last.includes('USER node'))
    assert.ok(last.includes('ENTRYPOINT ["farcall"]'))
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      bin: { farcall: string }
    }
    assert.ok(last.some((line) => line.includes(`/opt/farcall/${bin.farcall}`)))
  })
})
