import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { farcall, folder, startFarcall } from './support/cli.ts'

interface Shown {
  readonly file: string | null
  readonly environment: string | null
  readonly notes: string[]
  readonly settings: { key: string; value: unknown; origin: string }[]
}

async function shown(cwd: string, env: Record<string, string> = {}, args: readonly string[] = []) {
  const { stdout, stderr, code } = await farcall(['config', '--json', ...args], { cwd, env })
  assert.equal(stderr, '')
  assert.equal(code, 0)
  const { file, environment, notes, settings } = JSON.parse(stdout) as Shown
  const of = (key: string) => {
    const found = settings.find((one) => one.key === key)
    return [found?.value, found?.origin]
  }
  return { file, environment, notes, of }
}

describe('farcall config', { concurrency: 2 }, () => {
  it('a file is found from here upwards; the environment counts more, and defaults least', async () => {
    using place = folder({
      'farcall.yaml':
        'registry: registry://10.0.0.1:9999\nlogFile: logs/a.log\ntoken: sesame\nserve:\n  port: 7000\n  adaptWeight: true\n  metadata: { tier: gold }\n',
    })
    const inside = join(place.path, 'a', 'b')
    mkdirSync(inside, { recursive: true })
    const { file, of } = await shown(inside, { FARCALL_PORT: '7001' })
    assert.ok(file?.endsWith('farcall.yaml'))
    assert.deepEqual(of('registry'), [['registry://10.0.0.1:9999'], file])
    assert.deepEqual(of('serve.port'), [7001, 'environment FARCALL_PORT'])
    assert.deepEqual(of('serve.metadata'), [{ tier: 'gold' }, file])
    assert.deepEqual(of('serve.adaptWeight'), [true, file])
    assert.deepEqual(of('serve.listen'), ['0.0.0.0', 'default'])
    assert.deepEqual(of('token'), ['(hidden)', file])
    // What a file says of files is meant from where it stands.
    assert.deepEqual(of('logFile')[0], join(file ?? '', '..', 'logs/a.log'))
  })

  it('a file may be TypeScript, and may be named', async () => {
    using place = folder({
      'other.ts': "const port: number = 7000\nexport default { serve: { port }, logLevel: 'debug' }\n",
    })
    const { of } = await shown(place.path, {}, ['--config', 'other.ts'])
    assert.deepEqual(of('serve.port')[0], 7000)
    assert.deepEqual(of('logLevel')[0], 'debug')
  })

  it('an environment of the file counts before the rest of it, and not before a variable', async () => {
    const yaml =
      'registry: registry://127.0.0.1:9999\nserve: { port: 7000 }\nenvironments:\n  docker: { registry: "registry://registry:9999", serve: { zone: a } }\n'
    using place = folder({ 'farcall.yaml': yaml })
    for (const [env, args] of [
      [{ FARCALL_ENV: 'docker' }, []],
      [{ FARCALL_ENV: 'no such' }, ['--env', 'docker']],
    ] as const) {
      const { environment, of } = await shown(place.path, { ...env, FARCALL_ZONE: 'b' }, args)
      assert.equal(environment, 'docker')
      const [registry, origin] = of('registry')
      assert.deepEqual(registry, ['registry://registry:9999'])
      assert.match(String(origin), /farcall\.yaml \(docker\)$/)
      assert.deepEqual(of('serve.port')[0], 7000)
      assert.deepEqual(of('serve.zone'), ['b', 'environment FARCALL_ZONE'])
    }
    assert.equal((await shown(place.path)).environment, null)
    const table = await farcall(['config', '--env', 'docker'], { cwd: place.path })
    assert.match(table.stdout, /file: \S*farcall\.yaml, environment docker\n/)
  })

  it('every command takes --env', async () => {
    using place = folder({ 'farcall.yaml': 'environments: { local: {} }\n' })
    for (const command of [
      'registry',
      'serve x.ts',
      'call a.b',
      'list',
      'methods',
      'watch a',
      'config',
      'demo',
    ]) {
      const words = [...command.split(' '), '--env', 'docker']
      const { code, stderr } = await farcall(words, { cwd: place.path })
      assert.match(stderr, /no environment 'docker' in \S+farcall\.yaml\n next: there are: local\n/, command)
      assert.equal(code, 2)
    }
  })

  it('files of older systems say where the registry is, and what else they hold is noted', async () => {
    const ini =
      '[local]\nregistry_host = 127.0.0.1\nregistry_port = 8081\ncache = 1\n[docker]\nregistry_host = r\nregistry_port = 8082\n'
    using place = folder({ 'config.ini': ini })
    const local = await shown(place.path)
    assert.deepEqual(local.of('registry'), [
      ['lab-registry+http://127.0.0.1:8081'],
      join(place.path, 'config.ini'),
    ])
    assert.match(local.notes.join(), /not Farcall's: local\.cache/)
    const docker = await shown(place.path, {}, ['--env', 'docker'])
    assert.deepEqual(docker.of('registry')[0], ['lab-registry+http://r:8082'])
    const logged = await farcall(['list', '--log-level', 'debug'], { cwd: place.path })
    assert.match(logged.stderr, /left alone, for it is not Farcall's: local\.cache/)

    using other = folder({ 'config.yaml': 'Registry:\n  host: 127.0.0.1\n  port: 0\n' })
    await using registry = startFarcall(['registry'], {}, other.path)
    await registry.line(/listening at tcp:\/\/127\.0\.0\.1:\d+/)
  })

  it('prints a table for people', async () => {
    using place = folder({})
    const { stdout } = await farcall(['config'], { cwd: place.path })
    assert.match(stdout, /^SETTING\s+VALUE\s+FROM\n/)
    assert.match(stdout, /serve\.port\s+8089\s+default/)
    assert.match(stdout, /no configuration file was found/)
  })

  const mistakes: [string, Record<string, string>, Record<string, string>, string[], RegExp][] = [
    [
      'an unknown key',
      { 'farcall.yaml': 'registy: x\n' },
      {},
      [],
      /unknown key 'registy'; did you mean registry\?/,
    ],
    [
      'a key in the wrong place',
      { 'farcall.yaml': 'zone: x\n' },
      {},
      [],
      /unknown key 'zone'; did you mean serve\.zone\?/,
    ],
    [
      'an unknown key in a section',
      { 'farcall.yaml': 'serve: { prot: 1 }\n' },
      {},
      [],
      /unknown key 'serve\.prot'; did you mean serve\.port/,
    ],
    [
      'a value of the wrong kind',
      { 'farcall.yaml': 'serve: { port: [1] }\n' },
      {},
      [],
      /serve\.port should be a port, got \[1\]/,
    ],
    ['bad YAML', { 'farcall.yaml': 'a: [1\n' }, {}, [], /farcall\.yaml is no valid YAML: .*line/],
    [
      'two files',
      { 'farcall.yaml': '', 'farcall.config.ts': 'export default {}' },
      {},
      [],
      /there are 2 configuration files/,
    ],
    [
      'a module without default',
      { 'farcall.config.ts': 'export const a = 1' },
      {},
      [],
      /has no default export/,
    ],
    ['a file that is not there', {}, {}, ['--config', 'x.yaml'], /there is no configuration file .*x\.yaml/],
    [
      'a misspelt variable',
      {},
      { FARCALL_REGISTRI: 'x' },
      [],
      /unknown environment variable FARCALL_REGISTRI; did you mean FARCALL_REGISTRY\?/,
    ],
    [
      'a bad variable',
      {},
      { FARCALL_LOG_LEVEL: 'loud' },
      [],
      /FARCALL_LOG_LEVEL should be one of trace, debug/,
    ],
    [
      'a switch that is neither on nor off',
      {},
      { FARCALL_ADAPT_WEIGHT: 'yes' },
      [],
      /FARCALL_ADAPT_WEIGHT should be true or false, got 'yes'/,
    ],
    [
      'names that are no list',
      { 'farcall.yaml': 'serve: { protocols: [1] }\n' },
      {},
      [],
      /serve\.protocols should be names with commas between them, or a list of names, got \[1\]/,
    ],
    ['what Kubernetes sets', {}, { FARCALL_PORT: 'tcp://10.0.0.1:8089' }, [], /enableServiceLinks/],
  ]
  for (const [what, files, env, args, pattern] of mistakes) {
    it(`tells of ${what}, code 2`, async () => {
      using place = folder(files)
      const { code, stderr } = await farcall(['config', ...args], { cwd: place.path, env })
      assert.match(stderr, pattern)
      assert.equal(code, 2)
    })
  }
})

describe('farcall', { concurrency: 2 }, () => {
  const words: [string, string[], number, RegExp][] = [
    ['--help says where to start', ['--help'], 0, /Start here:[^]*farcall demo/],
    ['--version', ['--version'], 0, /^\d+\.\d+\.\d+\n$/],
    ['nothing shows the help', [], 2, /Usage: farcall/],
    ['a misspelt command', ['cal'], 2, /unknown command 'cal'; did you mean call\?/],
    [
      'a misspelt flag',
      ['registry', '--log-levl', 'x'],
      2,
      /unknown option '--log-levl'; did you mean --log-level\?/,
    ],
    ['a missing argument', ['serve'], 2, /missing required argument 'module'/],
    ['a bad port', ['registry', '-p', '70000'], 2, /--port should be a port from 0 to 65535, got '70000'/],
    [
      'an older registry that there is not',
      ['registry', '--faces', 'json,heder'],
      2,
      /unknown older registry 'heder'; did you mean header\?\n next: there are: json, header, protobuf, none/,
    ],
    ['faces, and none', ['registry', '--faces', 'none,json'], 2, /--faces says none, and also json/],
    ['a lease that is none', ['registry', '--lease', 'json=x'], 2, /--lease json should be a number of at/],
    [
      'a range that is none',
      ['registry', '--allow', 'all'],
      2,
      /'all' is no range of addresses; for example/,
    ],
    [
      'a protocol that there is not',
      ['registry', '--protocols', 'farcal'],
      2,
      /unknown protocol 'farcal'; did you mean farcall\?\n next: there are: farcall, http, .*lab-protobuf\n/,
    ],
    [
      'a host that is none',
      ['registry', '--http-host', 'a b'],
      2,
      /http\.hosts: 'a b' is no host; for example/,
    ],
    ['both --at and --registry', ['list', '--at', 'a:1', '--registry', 'b:1'], 2, /only one can be meant/],
    ['a registry that is down', ['list', '--registry', '127.0.0.1:1'], 3, /the registry cannot be reached/],
    [
      'a log that cannot be written',
      ['registry', '--log-file', '/dev/null/x'],
      2,
      /cannot write the log file/,
    ],
  ]
  for (const [what, args, wanted, pattern] of words) {
    it(what, async () => {
      const { code, stdout, stderr } = await farcall(args)
      assert.match(stdout + stderr, pattern)
      assert.equal(code, wanted)
    })
  }
  for (const command of ['registry', 'serve', 'call', 'list', 'methods', 'watch', 'config', 'demo']) {
    it(`${command} --help has examples, within 80 columns`, async () => {
      const { code, stdout } = await farcall([command, '--help'])
      assert.match(stdout, new RegExp(`Usage: farcall ${command}[^]*Examples:\n {2}farcall`))
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
      assert.equal(code, 0)
    })
  }
})
