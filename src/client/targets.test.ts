import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../core/log.ts'
import type { DiscoveryRoom, ResolverFactory } from '../discovery/source.ts'
import { staticResolvers } from '../discovery/static.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { openSource } from './targets.ts'

const room: DiscoveryRoom = {
  clock: createVirtualClock(),
  random: () => 0,
  logger: silentLogger,
  reach: () => assert.fail('nothing is opened before it is used'),
}

function open(...targets: string[]) {
  const made: string[] = []
  const registries: ResolverFactory = {
    schemes: ['registry', 'lab-registry+tcp'],
    create(target) {
      made.push(target)
      return { watch: () => assert.fail('nobody watches') }
    },
  }
  return { source: openSource(targets, [registries, staticResolvers], room), made }
}

test('the scheme of a registry that looks like a protocol over a transport is that of the registry', () => {
  assert.deepEqual(open('lab-registry+tcp://127.0.0.1:54321').made, ['lab-registry+tcp://127.0.0.1:54321'])
  assert.deepEqual(open('geerpc+tcp://127.0.0.1:9999').made, [])
})

test('a registry among endpoints is refused, wherever it stands', () => {
  for (const targets of [
    ['tcp://a:1', 'lab-registry+tcp://b:2'],
    ['lab-registry+tcp://b:2', 'tcp://a:1'],
  ])
    assert.throws(() => open(...targets), {
      code: 'invalid_argument',
      message:
        /only endpoints can be listed; several addresses of one registry are written as lab-registry\+tcp:/,
    })
})

test('a scheme that nobody knows is refused with those that are known', () => {
  assert.throws(() => open('lab-registry+http://a:1'), {
    message: /its scheme is not known \(known: tcp, tls, unix, memory, registry, lab-registry\+tcp, static\)/,
  })
})
