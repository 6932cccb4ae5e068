import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { seededRandom } from 'farcall'
import { call, type FramePeer, framePeer, preface, u32 } from './support/frame-peer.ts'
import { type Scene, attack, bystander, setScene, soon, strike, unharmed } from './support/scene.ts'

// No request and no body stops a registry.

describe('a registry among hostile peers', () => {
  let scene: Scene
  before(async () => {
    scene = await setScene('registry')
  })
  after(() => strike(scene))

  const bodies = [
    'null',
    '1',
    '"x"',
    '[]',
    '{}',
    'true',
    '[[[[[]]]]]',
    '{"lease":null}',
    '{"lease":{}}',
    '{"lease":{"id":"","incarnation":0}}',
    '{"lease":{"id":"a","incarnation":-1,"ttlMs":1e308},"instances":[]}',
    '{"lease":{"id":"a","incarnation":1,"ttlMs":15000},"instances":"x"}',
    '{"lease":{"id":"a","incarnation":1,"ttlMs":15000},"instances":[null,1,{}]}',
    '{"lease":{"id":"__proto__","incarnation":1},"instances":[{"id":"__proto__","incarnation":1,"services":[{"name":"__proto__"}],"endpoints":[],"weight":-5,"metadata":{"__proto__":"x"},"status":"up"}]}',
    '{"query":{"service":"__proto__","metadata":{"__proto__":{"polluted":true}}}}',
    '{"query":{"service":5,"zone":[],"metadata":7,"version":{}}}',
    '{"query":{},"from":"not a revision","after":-1}',
    '{"query":{},"after":1e300}',
    '{"leases":[{"id":"a","incarnation":1e300}]}',
    '{"leases":[{"id":"toString","incarnation":1},null]}',
    '{"lease":{"id":"a","incarnation":1},"ids":["__proto__",5,null]}',
    `{"lease":{"id":"${'x'.repeat(50_000)}","incarnation":1},"instances":[]}`,
    `{"leases":[${Array.from({ length: 2_000 }, () => '{"id":"a","incarnation":1}').join()}]}`,
    `{"query":{"metadata":{${Array.from({ length: 4_000 }, (_, i) => `"k${i}":"v"`).join()}}}}`,
  ]
  const methods = [
    'register',
    'update',
    'renew',
    'drain',
    'unregister',
    'list',
    'watch',
    'origin',
    'constructor',
    '__proto__',
    'nonsense',
  ]

  it('no request and no body stops it, and each gets an answer', async () => {
    const service = 'farcall.registry'
    const answers = new Set<string>()
    for (const method of methods) {
      for (const body of bodies) {
        await using peer = await framePeer(scene.target)
        peer.send(
          preface(),
          call(1, method, `[${body}]`, { service }),
          call(2, method, '[]', { service }),
          call(3, method, '[1,2,3]', { service }),
          call(4, 'echo', '[1]'),
        )
        assert.equal(await soon(peer.answer(4), `${method} ${body.slice(0, 60)}`), 'reply')
        // A watch answers with a stream.
        if (method !== 'watch') answers.add(await soon(peer.answer(1), `${method} ${body.slice(0, 60)}`))
      }
    }
    for (const answer of answers)
      assert.match(answer, /^(reply$|invalid_argument: |not_found: |aborted: |resource_exhausted: )/)
    assert.deepEqual(
      [...answers].filter((answer) => /internal error|undefined is not|Cannot read/.test(answer)),
      [],
    )
    await unharmed(scene)
  })

  it('garbage and claims of bytes do not stop it either', async () => {
    const random = seededRandom(9)
    for (let round = 0; round < 50; round++) {
      await using peer = await framePeer(scene.target)
      peer.send(Buffer.from(Array.from({ length: 5_000 }, () => Math.floor(random() * 256))))
      await soon(peer.closed, 'garbage')
    }
    assert.match(await attack(scene, preface(), u32(2 ** 31), Buffer.alloc(100)), /2147483648/)
    assert.match(
      await attack(
        scene,
        preface(),
        call(1, 'register', Buffer.from('['.repeat(50_000)), { service: 'farcall.registry' }),
      ),
      /nested deeper than 64/,
    )
    await unharmed(scene)
  })

  it('watches that are left, and watches that do not read, leave nothing', async () => {
    const peers: FramePeer[] = []
    for (let i = 0; i < 20; i++) {
      const peer = await framePeer(scene.target)
      peer.socket.pause()
      peer.send(preface())
      for (let id = 1; id <= 100; id++)
        peer.send(call(id, 'watch', '[{"query":{}}]', { service: 'farcall.registry' }))
      peers.push(peer)
    }
    await bystander(scene)
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()))
    await unharmed(scene)
  })
})
