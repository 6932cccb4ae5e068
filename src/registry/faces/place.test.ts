import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatEndpoint, formatHostPort, isWildcardHost, parseEndpoint } from '../../core/endpoint.ts'
import { RpcError } from '../../core/error.ts'
import { peerAt } from './faces-rig.suite.ts'
import { readHostPort, readPlace } from './place.ts'

const peer = peerAt('10.0.0.7')
const shown = ({ host, port }: { host: string; port: number }) => formatHostPort(host, port)

describe('a place that a peer names', () => {
  const rows: readonly (readonly [given: string, place: string])[] = [
    ['10.0.0.5:9999', '10.0.0.5:9999'],
    ['[fd00::5]:9999', '[fd00::5]:9999'],
    ['[FD00:0:0::5]:9999', '[fd00::5]:9999'],
    ['[::ffff:10.0.0.5]:9999', '10.0.0.5:9999'],
    ['[::ffff:a00:5]:9999', '10.0.0.5:9999'],
    ['Math-1.Example.:80', 'math-1.example.:80'],
    ['my_server:80', 'my_server:80'],
    ['localhost:65535', 'localhost:65535'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    // Every address of the machine that asks.
    [':43211', '10.0.0.7:43211'],
    ['[::]:43211', '10.0.0.7:43211'],
    ['[0:0:0:0:0:0:0:0]:43211', '10.0.0.7:43211'],
    ['[::ffff:0.0.0.0]:43211', '10.0.0.7:43211'],
    ['[::ffff:0:0]:43211', '10.0.0.7:43211'],
    ['0.0.0.0:43211', '10.0.0.7:43211'],
    ['0:43211', '10.0.0.7:43211'],
  ]
  for (const [given, place] of rows) {
    it(`${given} is ${place}`, () => assert.equal(shown(readHostPort(given, peer)), place))
  }

  it('is that of whoever asks, in IPv4 or IPv6', () => {
    assert.equal(shown(readHostPort(':1', peerAt('fd00::7'))), '[fd00::7]:1')
    assert.equal(shown(readHostPort(':1', peerAt('::ffff:10.0.0.7'))), '10.0.0.7:1')
    assert.equal(shown(readHostPort(':1', peerAt('127.0.0.1'))), '127.0.0.1:1')
  })

  it('is not known where the connection does not show it', () => {
    for (const from of [peerAt(undefined), undefined, peerAt('fe80::1%eth0')]) {
      assert.throws(() => readHostPort('0.0.0.0:1', from), { code: 'invalid_argument', message: /^host / })
    }
  })

  const nonsense: readonly (readonly [given: string, why: RegExp])[] = [
    ['', /host:port/],
    ['10.0.0.5', /host:port/],
    ['fd00::5:9999', /host:port/],
    ['[fd00::5', /host:port/],
    ['[]:1', /host should be a name/],
    ['10.0.0.5:0', /port should be a number from 1 to 65535, got 0/],
    ['10.0.0.5:65536', /port should be a number from 1/],
    ['10.0.0.5:-1', /port should be a number from 1/],
    ['10.0.0.5:1e3', /port should be a number from 1 to 65535, got "1e3"/],
    ['10.0.0.5:', /port should be/],
    ['10.0.0.5: 80', /port should be/],
    ['10.0.0.256:80', /four numbers up to 255, got '10\.0\.0\.256'/],
    ['10.0.0:80', /four numbers/],
    ['10.0.0.5.6:80', /four numbers/],
    ['010.0.0.1:80', /four numbers/],
    ['0x7f.1:80', /four numbers/],
    ['2130706433:80', /four numbers/],
    ['0.1.2.3:80', /address of one machine/],
    ['224.0.0.1:80', /address of one machine/],
    ['255.255.255.255:80', /address of one machine/],
    ['[ff02::1]:80', /address of one machine/],
    ['[fe80::1%eth0]:80', /without an interface/],
    ['[fd00::g]:80', /an IPv6 address/],
    ['[1::2::3]:80', /an IPv6 address/],
    ['a b:80', /host should be a name/],
    ['a,b:80', /host should be a name/],
    ['a/b:80', /host should be a name/],
    ['user@a:80', /host should be a name/],
    ['-a:80', /host should be a name/],
    ['größe:80', /host should be a name/],
    ['a\n:80', /host has control characters/],
    [`${'a'.repeat(254)}:80`, /host has 254 characters, at most 253/],
  ]
  for (const [given, why] of nonsense) {
    it(`is not ${JSON.stringify(given.slice(0, 40))}`, () => {
      assert.throws(() => readHostPort(given, peer), { code: 'invalid_argument', message: why })
    })
  }

  it('may have its port as a text, as configuration files give it', () => {
    assert.deepEqual(readPlace({ host: 'a', port: '8080' }, peer), { host: 'a', port: 8080 })
    for (const port of [undefined, null, true, [], {}, 1.5, Number.NaN, '8o8o', ' 80', '080808']) {
      assert.throws(() => readPlace({ host: 'a', port }, peer), {
        code: 'invalid_argument',
        message: /^port /,
      })
    }
    for (const host of [undefined, null, 7, [], {}]) {
      assert.throws(() => readPlace({ host, port: 1 }, peer), { code: 'invalid_argument', message: /^host / })
    }
  })

  // Texts that look like addresses more often than chance would have it.
  const piece = fc.constantFrom(
    '10',
    '0',
    '255',
    '.',
    ':',
    '::',
    '[',
    ']',
    'ffff',
    'a',
    '%',
    '@',
    ' ',
    ',',
    '-',
    '80',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((pieces) => `${pieces.join('')}:80`),
    fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()).map((host) => formatHostPort(host, 80)),
  )

  it('is something that clients can read and dial, or refused, whatever is sent', () => {
    fc.assert(
      fc.property(text, (given) => {
        let place
        try {
          place = readHostPort(given, peer)
        } catch (error) {
          assert.ok(RpcError.is(error))
          assert.equal(error.code, 'invalid_argument')
          assert.doesNotMatch(error.message, /[\u0000-\u001f]/)
          return
        }
        const endpoint = { protocol: 'geerpc', address: { transport: 'tcp' as const, ...place } }
        assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint)
        assert.ok(!isWildcardHost(place.host))
        assert.match(place.host, /^[a-z0-9._:-]+$/)
        // Saying it again in its usual form means the same.
        assert.deepEqual(readHostPort(shown(place), peer), place)
      }),
      { numRuns: 2000 },
    )
  })

  it('knows every address of IPv4 and IPv6 in its usual form', () => {
    fc.assert(
      fc.property(fc.ipV6(), (host) => {
        const place = { host, port: 80 }
        let read
        try {
          read = readPlace(place, peer)
        } catch (error) {
          assert.match((error as Error).message, /address of one machine/)
          return
        }
        assert.deepEqual(readPlace({ ...place, host: host.toUpperCase() }, peer), read)
        assert.deepEqual(readPlace({ ...place, host: `[${host}]` }, peer), read)
      }),
    )
  })
})
