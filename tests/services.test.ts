import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, RpcError, serve, service, startRegistry } from 'farcall'

// Services of instances, and services that come and go while a server runs.

const math = service('math', { add: (a: number, b: number, c = 10) => a + b + c })

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(RpcError.is(error), `no RpcError: ${String(error)}`)
  assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message)
  return true
}

describe('services of class instances', () => {
  class Account {
    balance = 5
    #secret = 'hidden'
    deposit(amount: number) {
      this.balance += amount
      return this.balance
    }
    async *history() {
      yield this.#secret.length
      yield this.balance
    }
    drop() {
      this.balance = 0
    }
  }

  it('only the listed methods can be called, bound to the instance, under the name of the class', async () => {
    const account = service(new Account(), { methods: ['deposit', 'history'] })
    await using server = await serve([account], { port: 0 })
    await using client = connect(server.targets)
    const a = client.service<typeof account>('Account')
    assert.equal(await a.deposit(5), 10)
    assert.deepEqual(await collect(a.history()), [6, 10])
    for (const name of ['drop', 'constructor', 'toString', '__proto__', 'balance', 'hasOwnProperty']) {
      await assert.rejects(
        (a as any)[name](),
        refused('not_found', new RegExp(`has no method '${name}'`)),
        name,
      )
    }
  })
})

describe('services that come and go', () => {
  it('the registry follows add and remove, and so do clients', async () => {
    await using registry = await startRegistry({ port: 0 })
    const target = `registry://${registry.server.targets[0]!.replace('tcp://', '')}`
    const late = service('late', { here: () => true })
    await using server = await serve([math], { port: 0, registry: target, id: 'one' })
    await server.registered
    await using client = connect(target)
    await assert.rejects(
      client.service<typeof late>('late').here(),
      refused('unavailable', /no instance of 'late'/),
    )
    server.add(late)
    assert.throws(() => server.add(late), refused('already_exists', /'late'/))
    await until(async () => (await client.refresh('late')).length === 1)
    assert.equal(await client.service<typeof late>('late').here(), true)
    assert.equal(server.remove('late'), true)
    assert.equal(server.remove('late'), false)
    await until(async () => (await client.refresh('late')).length === 0)
    await assert.rejects(
      client.service<typeof late>('late').here(),
      refused('unavailable', /no instance of 'late'/),
    )
    assert.equal(await client.service<typeof math>('math').add(1, 2), 13)
  })

  it('a call in flight of a service that is removed finishes', async () => {
    const gate = Promise.withResolvers<string>()
    const entered = Promise.withResolvers<void>()
    const slow = service('slow', {
      wait() {
        entered.resolve()
        return gate.promise
      },
    })
    await using server = await serve([slow], { port: 0 })
    await using client = connect(server.targets)
    const reply = client.service<typeof slow>('slow').wait()
    await entered.promise
    server.remove('slow')
    gate.resolve('done')
    assert.equal(await reply, 'done')
  })
})

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setImmediate(resolve))
}
