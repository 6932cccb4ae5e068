import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isLocalPeer } from './peer.ts'

it('knows whether a peer is on this machine', () => {
  const local = (address: string) => isLocalPeer({ transport: 'tcp', address })
  for (const address of ['127.0.0.1:1', '127.8.9.1:65535', '[::1]:80', '[::ffff:127.0.0.1]:80'])
    assert.ok(local(address), address)
  for (const address of ['10.0.0.1:1', '127.0.0.1.evil:1', '[::2]:80', 'localhost:80', '', '127.0.0.1'])
    assert.ok(!local(address), address)
  assert.ok(isLocalPeer({ transport: 'unix', address: '/run/x' }))
  assert.ok(!isLocalPeer({ transport: 'stream', address: 'a stream' }))
})
