import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { currentCall, RpcError, service } from 'farcall'
import { createVirtualWorld, watch } from './support/virtual.ts'

// Handlers and callers that do what they should not, or what nobody thought of. Time is virtual.

async function one(members: Record<string, any>, options: object = {}) {
  const world = createVirtualWorld()
  const server = await world.serve([service('odd', members)], { listen: 'memory:s', ...options })
  const client = world.connect('memory:s')
  const odd = client.service('odd') as any
  /** Lets a call settle within a second. */
  const settle = async (reply: PromiseLike<unknown>, ms = 1_000) => {
    const seen = watch(reply)
    await world.clock.advance(ms)
    assert.equal(seen.settled, 1, 'it did not settle')
    return seen
  }
  return { world, clock: world.clock, server, client, odd, settle }
}

async function collect(items: AsyncIterable<unknown>, count = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) if (all.push(item) >= count) break
  return all
}

describe('what a handler throws', () => {
  const hostile = {
    toString() {
      throw new Error('no')
    },
    get message() {
      throw new Error('no')
    },
  }
  const thrown: Record<string, unknown> = {
    nothing: undefined,
    null: null,
    number: 42,
    text: 'a text',
    symbol: Symbol('s'),
    object: { code: 'not_found', message: 'not meant' },
    'an object that cannot be shown': hostile,
    'an error without a prototype': Object.create(null),
    'a frozen error': Object.freeze(new Error('frozen')),
    'a rejection of a call of its own': new RpcError('unavailable', 'downstream'),
  }
  for (const [what, value] of Object.entries(thrown)) {
    it(`${what}: one error, at once and later, alone and in a stream`, async () => {
      const { odd, settle, server, clock } = await one({
        now() {
          throw value
        },
        async later() {
          await Promise.resolve()
          throw value
        },
        async *items() {
          yield 1
          throw value
        },
        async *cleanup() {
          try {
            yield 1
            yield 2
          } finally {
            // oxlint-disable-next-line no-unsafe-finally -- that is what is tested
            throw value
          }
        },
      })
      const code = RpcError.is(value) ? value.code : 'internal'
      for (const make of [() => odd.now(), () => odd.later(), () => collect(odd.items())]) {
        const { error } = await settle(make())
        assert.equal(error?.code, code)
        if (code === 'internal') assert.match(error.message, /^internal error \(id \w+\)$/)
      }
      assert.deepEqual((await settle(collect(odd.cleanup(), 1))).value, [1])
      await clock.advance(10_000)
      const { inFlight, uncooperative } = server.stats()
      assert.deepEqual([inFlight, uncooperative], [0, 0])
    })
  }
})

describe('what a handler returns', () => {
  it('any async iterable is a stream, also a promise of one', async () => {
    const { odd, settle } = await one({
      web: () => ReadableStream.from(['a', 'b']),
      promised: async () => ReadableStream.from(['c']),
      own: () => ({
        [Symbol.asyncIterator]() {
          let n = 0
          // No `return`: an iterator need not have one.
          return {
            next: async () => (n < 3 ? { done: false, value: n++ } : { done: true, value: undefined }),
          }
        },
      }),
    })
    assert.deepEqual((await settle(collect(odd.web()))).value, ['a', 'b'])
    assert.deepEqual((await settle(collect(odd.promised()))).value, ['c'])
    assert.deepEqual((await settle(collect(odd.own()))).value, [0, 1, 2])
    assert.deepEqual((await settle(collect(odd.own(), 1))).value, [0])
  })

  it('what cannot travel is an error that names the path', async () => {
    const { odd, settle } = await one({
      value: () => ({ list: [1, { fn: () => 1 }] }),
      async *items() {
        yield 1
        yield { deep: Symbol('s') }
      },
      generator: function* () {
        yield 1
      },
    })
    const value = await settle(odd.value())
    assert.equal(value.error?.code, 'internal')
    assert.match(value.error.message, /list\[1\]\.fn/)
    const items = await settle(collect(odd.items()))
    assert.match(items.error?.message, /deep/)
    assert.ok(RpcError.is((await settle(odd.generator())).error))
  })

  it('a stream where a value is awaited, a value where a loop is: both say so', async () => {
    const { odd, settle } = await one({ value: () => 1, items: () => ReadableStream.from([1]) })
    const looped = await settle(collect(odd.value()))
    assert.match(looped.error?.message, /the reply is a value, not a stream: await it/)
    const stream = (await settle(odd.items())).value as any
    assert.deepEqual((await settle(collect(stream))).value, [1])
    assert.match((await settle(collect(stream))).error?.message, /iterated only once/)
  })

  it('a reply after the deadline goes nowhere', async () => {
    const { world, odd, clock, settle } = await one({
      slow: () => new Promise((resolve) => world.clock.after(500, () => resolve('late'))),
    })
    const reply = await settle(odd.$with({ timeoutMs: 100 }).slow())
    assert.equal(reply.error?.code, 'deadline_exceeded')
    await clock.advance(1_000)
    assert.equal(reply.settled, 1)
  })
})

describe('streams that are left', () => {
  it('a generator that does not end in 5 s is counted and logged; the caller has long been settled', async () => {
    const { world, odd, server, clock, settle } = await one({
      async *stubborn() {
        yield 1
        await new Promise(() => {})
      },
    })
    assert.deepEqual((await settle(collect(odd.stubborn(), 1), 10)).value, [1])
    assert.equal(server.stats().inFlight, 0)
    await clock.advance(4_900)
    assert.equal(server.stats().uncooperative, 0)
    await clock.advance(200)
    assert.equal(server.stats().uncooperative, 1)
    assert.match(world.log.map(({ message }) => message).join('\n'), /odd\.stubborn/)
  })

  it('a handler that does not read its argument does not hold up its reply, and the argument is ended', async () => {
    let ended = false
    const { odd, settle } = await one({ ignore: (_items: AsyncIterable<number>) => 'done' })
    async function* endless() {
      try {
        for (let n = 0; ; n++) yield 'x'.repeat(10_000) + n
      } finally {
        ended = true
      }
    }
    assert.equal((await settle(odd.ignore(endless()))).value, 'done')
    assert.equal(ended, true)
  })

  it('a handler that leaves its argument in the middle goes on', async () => {
    let ended = false
    const { world, odd, settle } = await one({
      async first(items: AsyncIterable<number>) {
        let found: number | undefined
        for await (const item of items) {
          found = item
          break
        }
        await new Promise<void>((resolve) => world.clock.after(100, resolve))
        return found
      },
    })
    async function* endless() {
      try {
        for (let n = 7; ; n++) yield n
      } finally {
        ended = true
      }
    }
    const reply = await settle(odd.first(endless()))
    assert.equal(reply.value, 7)
    assert.equal(ended, true)
  })

  it('a stream that was awaited and never iterated is ended by its disposal, or with its client', async () => {
    let open = 0
    const { world, odd, server, client, settle, clock } = await one({
      async *ticks() {
        open++
        try {
          for (let n = 0; ; n++) {
            await new Promise<void>((resolve) => world.clock.after(10, resolve))
            yield n
          }
        } finally {
          open--
        }
      },
    })
    {
      await using stream = (await settle(odd.ticks(), 100)).value as AsyncDisposable
      assert.ok(stream !== undefined)
      assert.equal(open, 1)
    }
    await clock.advance(100)
    assert.equal(open, 0)
    await settle(odd.ticks(), 100)
    assert.equal(open, 1)
    const closing = client.close()
    await clock.advance(100)
    await closing
    assert.equal(open, 0)
    assert.equal(server.stats().inFlight, 0)
  })

  it('idleTimeoutMs ends a stream that falls silent, on both sides', async () => {
    let reason: RpcError | undefined
    const { odd, settle } = await one({
      async *falters() {
        currentCall()?.onCancel((why) => {
          reason = why
        })
        yield 1
        yield 2
        await new Promise(() => {})
      },
    })
    const got: unknown[] = []
    const loop = await settle(
      (async () => {
        for await (const item of odd.$with({ idleTimeoutMs: 200 }).falters()) got.push(item)
      })(),
    )
    assert.deepEqual(got, [1, 2])
    assert.equal(loop.error?.code, 'deadline_exceeded')
    assert.match(loop.error.message, /200 ms/)
    assert.ok(reason !== undefined, 'the server was told')
  })

  it('both ways at once, the reply ending before the argument', async () => {
    let ended = false
    const { odd, settle } = await one({
      async *some(items: AsyncIterable<number>) {
        for await (const item of items) {
          yield item
          if (item === 2) return
        }
      },
    })
    async function* endless() {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        ended = true
      }
    }
    assert.deepEqual((await settle(collect(odd.some(endless())))).value, [0, 1, 2])
    assert.equal(ended, true)
  })
})

describe('callers', () => {
  it('an error of a caller never becomes an unhandled rejection where it is iterated', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    const { odd, clock } = await one({
      fails: () =>
        new ReadableStream({
          pull() {
            throw new RpcError('aborted', 'on purpose')
          },
        }),
    })
    // Taking the iterator marks the promise as handled; leaving before anything came does too.
    const left = odd.fails()[Symbol.asyncIterator]()
    await left.return()
    await clock.advance(100)
    const looped = watch(collect(odd.fails()))
    await clock.advance(100)
    assert.equal(looped.error?.code, 'aborted')
    void odd.$try.fails()
    await clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    assert.deepEqual(unhandled, [])
  })

  it('a signal that was aborted before, and one that serves many calls and is aborted once', async () => {
    const { odd, clock, server } = await one({ hang: () => new Promise(() => {}) })
    const gone = watch(odd.$with({ signal: AbortSignal.abort(new Error('not any more')) }).hang())
    await clock.settle()
    assert.equal(gone.error?.code, 'cancelled')
    assert.match(gone.error.message, /not any more/)
    assert.equal(server.stats().connections.accepted, 0, 'nothing was sent')
    const abort = new AbortController()
    const many = Array.from({ length: 500 }, () => watch(odd.$with({ signal: abort.signal }).hang()))
    await clock.advance(10)
    assert.equal(server.stats().inFlight, 500)
    abort.abort()
    await clock.advance(10)
    assert.ok(many.every(({ error }) => error?.code === 'cancelled'))
    assert.equal(server.stats().inFlight, 0)
  })

  it('a small reply is not held up by one of 16 MiB', async () => {
    const limits = { maxMessageBytes: 32 * 2 ** 20 }
    const world = createVirtualWorld()
    const members = { large: () => new Uint8Array(16 * 2 ** 20), small: () => 1 }
    await world.serve([service('odd', members)], { listen: 'memory:s', limits })
    const client = world.connect('memory:s', { limits, maxSessionsPerEndpoint: 1 })
    const odd = client.service('odd') as any
    const first = watch(odd.small())
    await world.clock.advance(10)
    assert.equal(first.value, 1)
    // 10 MiB a second: the large one takes 1.6 s.
    world.network.set({ bytesPerMs: 10_000 })
    const large = watch(odd.large())
    await world.clock.advance(200)
    const small = watch(odd.small())
    await world.clock.advance(150)
    assert.equal(small.value, 1, 'the small reply waits behind the large one')
    assert.equal(large.settled, 0)
    await world.clock.advance(3_000)
    assert.equal((large.value as Uint8Array).length, 16 * 2 ** 20)
  })
})
