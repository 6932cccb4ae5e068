import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAllowList } from './allow-list.node.ts'
import { resolveFacesOptions } from './options.ts'

describe('the list of who may write', () => {
  const isAllowed = createAllowList(resolveFacesOptions().allow)
  for (const host of ['127.0.0.1', '127.9.9.9', '10.255.0.1', '172.31.0.1', '192.168.1.1', '169.254.9.9']) {
    it(`has ${host} by default`, () => assert.ok(isAllowed(host)))
  }
  for (const host of ['::1', 'fd00::5', 'fc00::1', 'fe80::1', 'fe80::1%eth0']) {
    it(`has ${host} by default`, () => assert.ok(isAllowed(host)))
  }
  for (const host of ['8.8.8.8', '172.32.0.1', '192.169.0.1', '100.64.0.1', '2001:db8::1', '::', 'a.b', '']) {
    it(`has not ${host || 'nothing'}`, () => assert.ok(!isAllowed(host)))
  }

  it('may be single addresses, everybody or nobody', () => {
    assert.ok(createAllowList(['192.0.2.7'])('192.0.2.7'))
    assert.ok(!createAllowList(['192.0.2.7'])('192.0.2.8'))
    assert.ok(createAllowList(['2001:db8::7'])('2001:db8:0::7'))
    const all = createAllowList(['0.0.0.0/0', '::/0'])
    assert.ok(all('8.8.8.8') && all('2001:db8::1'))
    assert.ok(!createAllowList([])('127.0.0.1'))
    const more = createAllowList(resolveFacesOptions({ allow: ['192.0.2.0/24', 'private'] }).allow)
    assert.ok(more('192.0.2.7') && more('127.0.0.1') && !more('192.0.3.7'))
  })

  for (const range of [
    '',
    'public',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
  ]) {
    it(`does not take '${range}' for a range`, () => {
      const expected = {
        code: 'invalid_argument',
        message: /faces\.allow: .* is no range of addresses; for example/,
      }
      assert.throws(() => createAllowList([range]), expected)
    })
  }
})
