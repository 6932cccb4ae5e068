import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { UsageError } from '../usage-error.ts'
import { loadConfigFile } from './file.ts'

/** A folder with these files, gone after the test. */
function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'farcall-settings-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}

async function load(path: string, named?: string, environment?: string) {
  const { values, ...rest } = await loadConfigFile({ named, folder: path, environment })
  return { ...rest, values: Object.fromEntries([...values].map(([key, { value }]) => [key, value])) }
}

const refused = (path: string, message: RegExp, named?: string, environment?: string) =>
  assert.rejects(load(path, named, environment), (thrown) => {
    assert.ok(thrown instanceof UsageError)
    assert.match(`${thrown.message}\n${thrown.next}`, message)
    return true
  })

const older = '[registry]\nhost = 10.0.0.1\nport = 8081\n'

describe('which file counts', () => {
  it('is ours, wherever above it stands, before one of an older system', async (t) => {
    const path = folder(t, { 'farcall.yaml': 'logLevel: warn\n', 'a/config.ini': older, 'a/b/x': '' })
    const { path: found, values } = await load(join(path, 'a/b'))
    assert.deepEqual([found, values], [join(path, 'farcall.yaml'), { logLevel: 'warn' }])
  })

  it('is else that of an older system which names a registry, here or above; the others are noted', async (t) => {
    const path = folder(t, {
      'a/config.ini': older,
      'a/config.yaml': 'Registry: { port: 1 }\n',
      'a/b/config.ini': '[paths]\ntmp = /tmp\n',
      'a/b/config.yaml': 'x: [1\n',
    })
    const { path: found, values, notes } = await load(join(path, 'a/b'))
    assert.equal(found, join(path, 'a/config.ini'))
    assert.deepEqual(values, { registry: ['lab-registry+http://10.0.0.1:8081'] })
    assert.equal(notes.length, 2)
    assert.match(notes[0] ?? '', /b\/config\.ini is passed over: it names no registry/)
    assert.match(notes[1] ?? '', /b\/config\.yaml is passed over: .*no valid YAML/)
  })

  it('is not one of such a name that stands far above, or is about something else', async (t) => {
    const path = folder(t, {
      'config.ini': older,
      'a/b/config.yaml': 'registry: { host: a, port: 5000 }\n',
      'a/b/config.ini': '[database]\nhost = a\nport = 5432\n',
    })
    assert.equal((await load(join(path, 'a/b'))).path, undefined)
  })

  it('is none, and then there are no environments', async (t) => {
    const path = folder(t, {})
    assert.deepEqual(await load(path), { path: undefined, values: {}, notes: [] })
    await refused(path, /no environment 'docker': no configuration file was found/, undefined, 'docker')
  })

  it('is the one that was named, and that must be right', async (t) => {
    const path = folder(t, {
      'x.ini': '[a]\nb=1\n',
      'y.ini': '[local]\nport=x\n',
      'z.yaml': 'Registry: { port: 1 }\n',
    })
    await refused(path, /x\.ini names no registry[^]*\[registry\] with host and port/, 'x.ini')
    await refused(path, /y\.ini: local: the port should be a port from 0 to 65535, got 'x'/, 'y.ini')
    assert.deepEqual((await load(path, 'z.yaml')).values['registry'], ['lab-registry+tcp://127.0.0.1:1'])
  })
})

describe('environments of farcall.yaml', () => {
  const yaml =
    'logLevel: warn\nserve: { port: 1, zone: a }\nenvironments:\n  local:\n  docker: { registry: "registry://registry:9999", serve: { port: 2 } }\n'

  it('override what the file says, setting by setting', async (t) => {
    const path = folder(t, { 'farcall.yaml': yaml })
    const base = { logLevel: 'warn', 'serve.port': 1, 'serve.zone': 'a' }
    assert.deepEqual((await load(path)).values, base)
    assert.deepEqual((await load(path, undefined, 'local')).values, base)
    const docker = { ...base, registry: ['registry://registry:9999'], 'serve.port': 2 }
    assert.deepEqual((await load(path, undefined, 'docker')).values, docker)
    const { values } = await loadConfigFile({ named: undefined, folder: path, environment: 'docker' })
    assert.equal(values.get('serve.port')?.origin, `${join(path, 'farcall.yaml')} (docker)`)
    assert.equal(values.get('serve.zone')?.origin, join(path, 'farcall.yaml'))
  })

  it('that are not there are an error that lists those that are', async (t) => {
    const path = folder(t, { 'farcall.yaml': yaml, 'other.yaml': 'logLevel: warn\n' })
    await refused(
      path,
      /no environment 'dokcer' in .*; did you mean docker\?\nthere are: local, docker/,
      undefined,
      'dokcer',
    )
    await refused(path, /other\.yaml has none\ngive it environments: \{ x:/, 'other.yaml', 'x')
    // A name that every object has by inheritance is none.
    await refused(path, /no environment 'constructor'/, undefined, 'constructor')
  })

  it('are checked whether or not they are chosen', async (t) => {
    const path = folder(t, {
      'farcall.yaml': 'environments: { docker: { zone: x } }\n',
      'kind.yaml': 'environments: { docker: { serve: { port: x } } }\n',
      'list.yaml': 'environments: [docker]\n',
      'nested.yaml': 'environments: { a: { environments: { b: {} } } }\n',
    })
    await refused(path, /environments\.docker: unknown key 'zone'; did you mean serve\.zone/)
    await refused(path, /environments\.docker: serve\.port should be a port/, 'kind.yaml')
    await refused(path, /environments should hold keys and values/, 'list.yaml')
    await refused(path, /environments\.a: unknown key 'environments'/, 'nested.yaml')
  })
})

describe('config.ini', () => {
  const ini = async (t: TestContext, text: string, environment?: string) =>
    load(folder(t, { 'config.ini': text }), undefined, environment)

  it('has sections for environments, of which the one of the registry or else local counts without a name', async (t) => {
    const text =
      '[local]\nregistry_host = 127.0.0.1\nregistry_port = 8081\n[Docker]\nRegistry_Host: registry\nport: 8082\n'
    assert.deepEqual((await ini(t, text)).values, { registry: ['lab-registry+http://127.0.0.1:8081'] })
    assert.deepEqual((await ini(t, text, 'docker')).values, {
      registry: ['lab-registry+http://registry:8082'],
    })
    const both = await ini(t, `${older}${text}`)
    assert.deepEqual(both.values, { registry: ['lab-registry+http://10.0.0.1:8081'] })
    await refused(folder(t, { 'config.ini': text }), /there are: local, docker/, undefined, 'prod')
    await refused(
      folder(t, { 'config.ini': older }),
      /has none\ngive it a section \[prod\]/,
      undefined,
      'prod',
    )
  })

  it('takes [DEFAULT], IPv6, and leaves the rest alone', async (t) => {
    const text =
      '[DEFAULT]\nport = 8081\nretries = 3\n[registry]\nhost = ::1\ncache = 3\n[logs]\npath = x\n[docker.registry]\nhost = r\n'
    const { values, notes } = await ini(t, text)
    assert.deepEqual(values, { registry: ['lab-registry+http://[::1]:8081'] })
    assert.match(notes[0] ?? '', /config\.ini: left alone, for it is not Farcall's: registry\.cache, logs$/)
    assert.deepEqual((await ini(t, text, 'docker')).values, { registry: ['lab-registry+http://r:8081'] })
  })

  it('may be anything at all', async (t) => {
    for (const text of ['', '\u0000{{{', '[registry]\n', '[registry]\nhost\n', '[__proto__]\nport=1\n'])
      assert.equal((await ini(t, text)).path, undefined, text)
  })
})

describe('config.yaml of the older protobuf system', () => {
  it('says where the registry is, and where that of `farcall registry` listens', async (t) => {
    const { values, notes } = await load(
      folder(t, {
        'config.yaml': 'Registry:\n  host: 127.0.0.1\n  port: 54321\n  x: 1\nServer: !custom { a: 1 }\n',
      }),
    )
    assert.deepEqual(values, {
      registry: ['lab-registry+tcp://127.0.0.1:54321'],
      'registryServer.listen': '127.0.0.1',
      'registryServer.port': 54_321,
    })
    assert.match(notes[0] ?? '', /left alone, for it is not Farcall's: Server, Registry\.x$/)
  })

  it('is taken for ours if it was named and holds what ours holds', async (t) => {
    const path = folder(t, { 'config.yaml': 'registry: registry://a:1\n' })
    assert.deepEqual((await load(path, 'config.yaml')).values, { registry: ['registry://a:1'] })
    assert.equal((await load(path)).path, undefined)
  })
})
