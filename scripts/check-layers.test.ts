import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkLayers } from './check-layers.ts'
import { scanSource } from './scan-source.ts'

/** The findings for a tree of modules, as `file:line rule`. */
function check(files: Record<string, string>): string[] {
  const src = mkdtempSync(join(tmpdir(), 'farcall-layers-'))
  try {
    for (const [file, source] of Object.entries(files)) {
      mkdirSync(dirname(join(src, file)), { recursive: true })
      writeFileSync(join(src, file), source)
    }
    return checkLayers(src).findings.map(({ file, line, rule }) => `${file}:${line} ${rule}`)
  } finally {
    rmSync(src, { recursive: true })
  }
}

/** What is found when `from` imports `to` in its second line. */
function checkImport(from: string, to: string): string[] {
  const up = '../'.repeat(from.split('/').length - 1) || './'
  return check({ [from]: `\nimport { x } from '${up}${to}'\n`, [to]: 'export const x = 1\n' })
}

const forbidden: [string, string][] = [
  ['core/call.ts', 'codecs/json/index.ts'],
  ['codecs/json/index.ts', 'transports/memory.ts'],
  ['transports/memory.ts', 'codecs/json/index.ts'],
  ['balancers/random.ts', 'transports/memory.ts'],
  ['transports/transport.ts', 'transports/memory.ts'],
  ['protocols/farcall/client.ts', 'protocols/geerpc/index.ts'],
  ['protocols/farcall/client.ts', 'client/index.ts'],
  ['protocols/farcall/server.ts', 'server/index.ts'],
  ['layers/retry.ts', 'client/index.ts'],
  ['layers/retry.ts', 'transports/memory.ts'],
  ['discovery/registry.ts', 'server/index.ts'],
  ['client/pool.ts', 'server/index.ts'],
  ['client/pool.ts', 'protocols/farcall/index.ts'],
  ['client/pool.ts', 'balancers/p2c.ts'],
  ['client/pool.ts', 'layers/retry.ts'],
  ['server/serve.ts', 'client/index.ts'],
  ['server/serve.ts', 'transports/memory.ts'],
  ['registry/store.ts', 'client/index.ts'],
  ['registry/store.ts', 'server/connection.ts'],
  ['registry/store.ts', 'discovery/static.ts'],
  ['console/page.ts', 'client/index.ts'],
  ['logging/log.ts', 'server/index.ts'],
  ['client/pool.ts', 'testing/index.ts'],
  ['testing/network.ts', 'node.ts'],
  ['testing/network.ts', 'cli/main.ts'],
  ['index.ts', 'cli/main.ts'],
  ['node.ts', 'testing/index.ts'],
  ['index.ts', 'client/pool.ts'],
  ['client/pool.ts', 'client/pool.test.ts'],
]

for (const [from, to] of forbidden) {
  test(`${from} must not import ${to}`, () => {
    assert.ok(checkImport(from, to).includes(`${from}:2 layer`))
  })
}

const allowed: [string, string][] = [
  ['codecs/json/index.ts', 'core/codec.ts'],
  ['protocols/farcall/client.ts', 'codecs/json/index.ts'],
  ['protocols/farcall/client.ts', 'protocols/farcall/encode.ts'],
  ['protocols/json-rpc/client.ts', 'protocols/json-head/scan.ts'],
  ['protocols/protocol.ts', 'transports/transport.ts'],
  ['client/pool.ts', 'balancers/balancer.ts'],
  ['server/serve.ts', 'discovery/registrar.ts'],
  ['registry/service.ts', 'server/index.ts'],
  ['registry/service.ts', 'discovery/api/messages.ts'],
  ['testing/network.ts', 'client/pool.ts'],
  ['node.ts', 'protocols/farcall/index.ts'],
  ['node.ts', 'transports/tcp.node.ts'],
  ['cli/main.ts', 'node.ts'],
  ['client/pool.test.ts', 'testing/index.ts'],
  ['client/pool.test.ts', 'protocols/farcall/client.ts'],
]

for (const [from, to] of allowed) {
  test(`${from} may import ${to}`, () => {
    assert.deepEqual(checkImport(from, to), [])
  })
}

test('types, dynamic imports and exports count as imports', () => {
  const target = { 'codecs/json.ts': 'export type X = 1\n' }
  for (const source of [
    "import type { X } from '../codecs/json.ts'",
    "export * from '../codecs/json.ts'",
    "import '../codecs/json.ts'",
    "const x = await import('../codecs/json.ts')",
    "type X = import('../codecs/json.ts').X",
  ]) {
    assert.deepEqual(check({ 'core/a.ts': source, ...target }), ['core/a.ts:1 layer'], source)
  }
})

test('a file that no room holds is an error', () => {
  assert.deepEqual(check({ 'misc/a.ts': '' }), ['misc/a.ts:1 layer'])
})

test('an import that leads nowhere in src is an error', () => {
  assert.deepEqual(check({ 'core/a.ts': "import './b.js'\nimport '../../package.json'\n" }), [
    'core/a.ts:1 unresolved',
    'core/a.ts:2 unresolved',
  ])
})

test('Node is for files that say so', () => {
  assert.deepEqual(check({ 'core/a.ts': "import 'node:net'\n" }), ['core/a.ts:1 node-only'])
  assert.deepEqual(check({ 'core/a.ts': '\nprocess.exit()' }), ['core/a.ts:2 ambient'])
  assert.deepEqual(check({ 'core/a.ts': 'const b = Buffer.from([])' }), ['core/a.ts:1 ambient'])
  assert.deepEqual(check({ 'core/a.node.ts': "import 'node:net'\nprocess.exit()\nBuffer.from([])" }), [])
  assert.deepEqual(check({ 'cli/main.ts': "import 'node:net'\nprocess.exit()" }), [])
})

test('a file that runs anywhere must not import one that needs Node, but for #platform', () => {
  const platform = { 'core/platform/platform.ts': '', 'core/platform/platform.node.ts': '' }
  assert.deepEqual(check({ 'core/a.ts': "import './b.node.ts'", 'core/b.node.ts': '' }), [
    'core/a.ts:1 node-only',
  ])
  assert.deepEqual(check({ 'core/a.ts': "import '#platform'", ...platform }), [])
})

test('time and chance come from Clock and Random', () => {
  assert.deepEqual(check({ 'client/pool.ts': 'setTimeout(f, 1)\nperformance.now()\nMath.random()' }), [
    'client/pool.ts:1 ambient',
    'client/pool.ts:2 ambient',
    'client/pool.ts:3 ambient',
  ])
  assert.deepEqual(check({ 'core/clock.ts': 'setTimeout(f, 1)', 'core/random.ts': 'Math.random()' }), [])
})

test('a cycle is an error, also when only types go round', () => {
  const cycle = {
    'core/a.ts': "import type { B } from './b.ts'",
    'core/b.ts': "\nimport { c } from './c.ts'",
    'core/c.ts': "export type { A } from './a.ts'",
  }
  assert.deepEqual(check(cycle), ['core/a.ts:1 cycle'])
})

test('a cycle through #platform is found', () => {
  const files = {
    'core/a.ts': "import '#platform'",
    'core/platform/platform.node.ts': '',
    'core/platform/platform.ts': "import '../a.ts'",
  }
  assert.deepEqual(check(files), ['core/a.ts:1 cycle'])
})

test('a file of 401 lines is too long, a test is not', () => {
  const long = 'export {}\n'.repeat(401)
  assert.deepEqual(check({ 'core/a.ts': long, 'core/b.test.ts': long }), ['core/a.ts:401 length'])
  assert.deepEqual(check({ 'core/a.ts': long.slice(10) }), [])
})

test('comments, strings, templates, regular expressions, keys and members are not names', () => {
  const source = [
    '// process',
    "const a = 'process'",
    'const b = `process ${ /process/.test(a) ? { process: 1 } : [`${process}`] } process`',
    'a.process()',
    'const c = 1 / process / 2',
  ].join('\n')
  const lines = scanSource(source).names.filter(({ text }) => text === 'process')
  assert.deepEqual(
    lines.map(({ line }) => line),
    [3, 5],
  )
})
