import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { RpcError } from 'farcall'
import { call, preface } from './support/frame-peer.ts'
import { type Scene, attack, setScene, strike, unharmed } from './support/scene.ts'

// Names that mean something to the language, wherever a peer may choose one.

describe('hostile names mean only themselves', () => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'then',
    'toString',
    'toJSON',
    'hasOwnProperty',
    '__defineGetter__',
    'valueOf',
    '',
  ]
  let scene: Scene
  before(async () => {
    scene = await setScene('server')
  })
  after(() => strike(scene))

  it('as service and method', async () => {
    for (const name of names) {
      assert.match(
        await attack(scene, preface(), call(1, 'echo', '[1]', { service: name || 'x' })),
        /^not_found: unknown service/,
        name,
      )
      assert.match(await attack(scene, preface(), call(1, name, '[]')), /^not_found: .*has no method/, name)
      const bare = await attack(scene, preface(), call(1, name, '[]', { service: '' }))
      assert.match(bare, /^not_found: no service has a method/, name)
    }
    await unharmed(scene)
  })

  it('as names that a client uses', async () => {
    const any = scene.v as any
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      await assert.rejects(any[name](), (error) => RpcError.is(error) && error.code === 'not_found', name)
      assert.throws(
        () => scene.client.service(name),
        (error) => RpcError.is(error) && error.code === 'invalid_argument',
        name,
      )
    }
    assert.equal(any.then, undefined)
    assert.equal(any.toJSON, undefined)
  })

  it('as keys of arguments and results, maps, and names of arguments', async () => {
    for (const name of names) {
      const object = Object.defineProperty({}, name, {
        value: { polluted: true },
        enumerable: true,
        configurable: true,
        writable: true,
      })
      const back = (await scene.v.echo(object)) as object
      assert.deepEqual(Object.keys(back), [name], name)
      assert.equal(
        Object.getPrototypeOf(back) === Object.prototype || Object.getPrototypeOf(back) === null,
        true,
      )
      assert.equal(Object.getOwnPropertyDescriptor(back, name)?.value.polluted, true)
      const map = (await scene.v.echo(new Map([[name, 1]]))) as Map<string, number>
      assert.deepEqual([...map], [[name, 1]])
      // `then` that is called would be a call of the peer's choice.
      const args = `[${JSON.stringify({ x: 1 }).replace('x', name)}]`
      assert.equal(await attack(scene, preface(), call(1, 'echo', args)), 'reply', name)
      const named = `{"a":1,${JSON.stringify(name)}:{"polluted":true}}`
      assert.match(
        await attack(scene, preface(), call(1, 'named', named, { flags: 1 })),
        /^invalid_argument: victim\.named has no parameter/,
        name,
      )
      assert.match(
        await attack(scene, preface(), call(1, 'named', named, { flags: 2 })),
        /reply|invalid_argument: victim\.named has no parameter/,
        name,
      )
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    await unharmed(scene)
  })

  it('as metadata', async () => {
    const names = ['constructor', 'then', 'tostring', '__proto__x', '__proto__']
    const own = Object.fromEntries(names.map((name, i) => [name, String(i)]))
    const got = new Map(await scene.v.$with({ metadata: own }).metadata())
    assert.deepEqual(Object.fromEntries(got), { ...own })
    await unharmed(scene)
  })

  it('as a value with a then function, which cannot travel', async () => {
    // oxlint-disable-next-line no-thenable -- it is what is tested
    const thenable = Object.fromEntries([['then', (resolve: (value: unknown) => void) => resolve('taken')]])
    await assert.rejects(
      scene.v.echo({ inside: thenable }),
      (error) => RpcError.is(error) && /inside/.test(error.message),
    )
  })
})
