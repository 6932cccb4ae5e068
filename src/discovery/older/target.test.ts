import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RpcError } from '../../core/error.ts'
import { silentLogger } from '../../core/log.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import type { DiscoveryRoom } from '../source.ts'
import {
  createHeaderRegistrars,
  createHeaderResolvers,
  createLabHttpRegistrars,
  createLabHttpResolvers,
  createLabTcpRegistrars,
  createLabTcpResolvers,
} from './index.ts'
import { parseOlderTarget } from './target.ts'

const form = { example: 'x+http://127.0.0.1:1', hasPath: true, options: ['pollMs'] }
const room: DiscoveryRoom = {
  clock: createVirtualClock(),
  random: () => 0,
  logger: silentLogger,
  reach: () => ({ call: () => undefined, [Symbol.asyncDispose]: async () => {} }),
  fetch: async () => new Response(),
}
const factories = [
  ['lab-registry+http', createLabHttpResolvers(), createLabHttpRegistrars()],
  ['lab-registry+tcp', createLabTcpResolvers(), createLabTcpRegistrars()],
  ['geerpc-registry+http', createHeaderResolvers(), createHeaderRegistrars()],
  ['myrpc-registry+http', createHeaderResolvers(), createHeaderRegistrars()],
] as const

describe('targets of older registries', () => {
  it('are read with their hosts, path and options', () => {
    assert.deepEqual(parseOlderTarget('x+http://a:1,[::1]:2/p/q?pollMs=5', form), {
      text: 'x+http://a:1,[::1]:2/p/q?pollMs=5',
      hosts: [
        { host: 'a', port: 1 },
        { host: '::1', port: 2 },
      ],
      path: '/p/q',
      options: new Map([['pollMs', '5']]),
    })
    assert.equal(parseOlderTarget('x+http://a:1/', form).path, '')
  })

  it('are refused with what is wrong and the right form', () => {
    for (const [target, why] of [
      ['x+http://', /is no registry; for example x/],
      ['x+http://a', /'a' is no host:port/],
      ['x+http://a:70000', /'a:70000' is no host:port/],
      ['x+http://user@a:1', /'user@a:1' is no host:port/],
      ['x+http://a:1?poll=3', /no option 'poll' \(known: pollMs\)/],
      ['x+http://a:1?pollMs=3&pollMs=4', /'pollMs' is given twice/],
      ['x+http://a:1/a b', /characters that a path cannot have/],
      ['x+http://a:1#x', /is no registry/],
    ] as const) {
      assert.throws(
        () => parseOlderTarget(target, form),
        (error) => {
          assert.ok(RpcError.is(error) && error.code === 'invalid_argument', target)
          assert.match(error.message, why)
          assert.match(error.message, /for example x\+http:\/\/127.0.0.1:1/)
          return true
        },
      )
    }
  })

  for (const [scheme, resolvers, registrars] of factories) {
    it(`${scheme}: periods are checked, in the target and in the options`, () => {
      assert.ok(resolvers.schemes.includes(scheme) && registrars.schemes.includes(scheme))
      for (const factory of [resolvers, registrars]) {
        // What is for the other one is read too: one target serves both.
        factory.create(`${scheme}://a:1,b:2?heartbeatMs=500&pollMs=1000.5&doubtMs=0`, room)
        for (const query of ['pollMs=1', 'pollMs=', 'heartbeatMs=1e3', 'doubtMs=-1', 'pollMs=90000000'])
          assert.throws(() => factory.create(`${scheme}://a:1?${query}`, room), {
            code: 'invalid_argument',
            message: new RegExp(`\\+.*: ${query.split('=')[0]} should be a number from`),
          })
      }
    })
  }

  it('options that make no sense are refused where a factory is made', () => {
    const all = [
      createLabHttpResolvers,
      createLabHttpRegistrars,
      createLabTcpResolvers,
      createLabTcpRegistrars,
      createHeaderResolvers,
      createHeaderRegistrars,
    ]
    for (const create of all) {
      create({ pollMs: 100, heartbeatMs: 100, doubtMs: 0 })
      assert.throws(() => create({ pollMs: Number.NaN }), { message: /^pollMs should be a number/ })
      assert.throws(() => create({ beatMs: 1 } as object), {
        message: /unknown option 'beatMs'; known: heart/,
      })
    }
    for (const proto of ['', 'JSON', ['a b'], []])
      assert.throws(() => createLabHttpResolvers({ proto }), { message: /^proto should be names such as/ })
    assert.throws(() => createLabHttpResolvers().create('lab-registry+http://a:1?proto=a,,b', room), {
      message: /^lab-registry.*: proto should be names/,
    })
  })

  it('only the header registries have a path', () => {
    const wrong = { code: 'invalid_argument', message: /has the path '\/x', and takes none/ }
    assert.throws(() => createLabHttpResolvers().create('lab-registry+http://a:1/x', room), wrong)
    assert.throws(() => createLabTcpResolvers().create('lab-registry+tcp://a:1/x', room), wrong)
    createHeaderResolvers().create('geerpc-registry+http://a:1/x', room)
  })

  it('over HTTP nothing can be asked without fetch', () => {
    const { fetch: _, ...bare } = room
    const wrong = { code: 'failed_precondition', message: /give 'fetch' to createFarcall/ }
    assert.throws(() => createLabHttpResolvers().create('lab-registry+http://a:1', bare), wrong)
    assert.throws(() => createHeaderRegistrars().create('geerpc-registry+http://a:1', bare), wrong)
  })
})
