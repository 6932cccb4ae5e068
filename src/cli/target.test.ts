import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PlaceFlags } from './place-flags.ts'
import type { Resolved, ResolvedSettings } from './settings/resolve.ts'
import { type Setting, settings } from './settings/table.ts'
import { targetOf } from './target.ts'
import { UsageError } from './usage-error.ts'

type Given = Readonly<Record<string, readonly [value: readonly string[], rank: Resolved['rank']]>>

/** Settings as if `given` had been said by a flag (3), the environment (2) or the file (1). */
function resolved(given: Given): ResolvedSettings {
  const all = (settings as readonly Setting[]).map((setting): Resolved => {
    const [value, rank] = given[setting.key] ?? [undefined, 0]
    return { setting, value, rank, origin: 'test' }
  })
  const get = (name: string) => all.find(({ setting }) => setting.key === name)
  return { file: undefined, environment: undefined, notes: [], all, get }
}

const file = 1
const flag = 3

describe('whom a command asks', () => {
  const asked: [string, Given, PlaceFlags, string][] = [
    ['a server without a scheme', { at: [['a:1'], flag] }, {}, '--at tcp://a:1'],
    ['as an older client writes it', { at: [['tcp@a:1'], flag] }, {}, '--at tcp@a:1'],
    [
      'several',
      { at: [['a:1', 'unix:/x'], flag] },
      { protocol: 'http' },
      '--at http+tcp://a:1 --at http+unix:/x',
    ],
    ['a port', {}, { port: 1 }, '--at tcp://127.0.0.1:1'],
    ['a host', {}, { host: '::1' }, '--at tcp://[::1]:8089'],
    ['with a protocol', {}, { port: 1, protocol: 'lab-json' }, '--at lab-json+tcp://127.0.0.1:1'],
    [
      'the same protocol twice',
      { at: [['geerpc://a:1'], flag] },
      { protocol: 'geerpc' },
      '--at geerpc+tcp://a:1',
    ],
    [
      'what is typed before what is set',
      { registry: [['r:1'], file] },
      { port: 1 },
      '--at tcp://127.0.0.1:1',
    ],
    ['a registry', { registry: [['r:1'], flag], at: [['a:1'], file] }, {}, '--registry registry://r:1'],
    [
      'what the mode says',
      { registry: [['r:1'], file], at: [['a:1'], flag] },
      { mode: 'registry' },
      '--registry registry://r:1',
    ],
    [
      'the mode the other way',
      { registry: [['r:1'], flag], at: [['a:1'], file] },
      { mode: 'server' },
      '--at tcp://a:1',
    ],
    ['a registry at a port', {}, { mode: 'registry', port: 1 }, '--registry registry://127.0.0.1:1'],
    ['a registry at a host', {}, { mode: 'registry', host: '::1' }, '--registry registry://[::1]:9999'],
    [
      'and a protocol',
      { registry: [['r:1'], flag] },
      { protocol: 'http' },
      '--registry registry://r:1 --protocol http',
    ],
    [
      'one of several addresses',
      { registry: [['registry://r:1,s:2'], file] },
      { mode: 'registry', port: 3 },
      '--registry registry://127.0.0.1:3',
    ],
    [
      'one of the kind that is set',
      { registry: [['lab-registry+http://r:1'], file] },
      { mode: 'registry', host: 'x' },
      '--registry lab-registry+http://x:1',
    ],
    [
      'its path too',
      { registry: [['geerpc-registry+http://[::1]:1/p/q'], file] },
      { mode: 'registry', port: 2 },
      '--registry geerpc-registry+http://[::1]:2/p/q',
    ],
  ]
  for (const [what, given, flags, wanted] of asked)
    it(what, () => assert.equal(targetOf(resolved(given), flags).typed, wanted))

  const refused: [string, Given, PlaceFlags, RegExp][] = [
    ['nobody', {}, {}, /neither --at nor --registry/],
    ['both alike', { registry: [['r:1'], flag] }, { port: 1 }, /only one can be meant/],
    ['two servers', { at: [['a:1'], flag] }, { port: 1 }, /--at and -i, -p both name a server/],
    [
      'two registries',
      { registry: [['r:1'], flag] },
      { mode: 'registry', port: 1 },
      /--registry and -i, -p both/,
    ],
    ['several registries', { registry: [['r:1', 's:1'], flag] }, {}, /only one registry can be asked/],
    ['no server', {}, { mode: 'server' }, /neither --at nor -i and -p/],
    ['no registry', {}, { mode: 'registry' }, /neither --registry nor -i and -p/],
    ['two protocols', { at: [['http://a:1'], flag] }, { protocol: 'geerpc' }, /to be spoken to in http/],
    [
      'an unknown protocol',
      {},
      { port: 1, protocol: 'gee-rpc' },
      /unknown protocol 'gee-rpc'; did you mean geerpc/,
    ],
    ['no endpoint', { at: [['registry://a:1'], flag] }, { protocol: 'http' }, /is no endpoint/],
  ]
  for (const [what, given, flags, message] of refused)
    it(`is told where it is ${what}`, () => {
      assert.throws(
        () => targetOf(resolved(given), flags),
        (thrown) => thrown instanceof UsageError && message.test(thrown.message),
      )
    })
})
