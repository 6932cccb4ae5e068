import assert from 'node:assert/strict'
import { it } from 'node:test'
import { silentLogger } from '../../core/log.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { createAllowList } from './allow-list.node.ts'
import { createGate } from './gate.ts'

it('lets those write that are on the list, or on this machine without an address', () => {
  const allow = ['10.0.0.0/8']
  const gate = createGate({
    clock: createVirtualClock(),
    logger: silentLogger,
    allow,
    isAllowed: createAllowList(allow),
  })
  const write = (transport: string, address: string) => gate.admit({ transport, address }, () => 'written')
  assert.equal(write('tcp', '10.1.2.3:4'), 'written')
  assert.equal(write('tls', '[::ffff:10.1.2.3]:4'), 'written')
  assert.equal(write('unix', '/run/registry.sock#1'), 'written')
  assert.equal(
    gate.admit(undefined, () => 'written'),
    'written',
  )
  for (const [transport, address] of [
    ['tcp', '127.0.0.1:4'],
    ['tcp', '[::ffff:11.0.0.1]:4'],
    // What has been opened elsewhere may come from anywhere.
    ['stream', 'a stream'],
  ] as const)
    assert.throws(() => write(transport, address), {
      code: 'permission_denied',
      message: /may not register here/,
    })
})
