import assert from 'node:assert/strict'
import test from 'node:test'
import * as v from 'valibot'
import { z } from 'zod'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { type Arguments, Call, type CallInit } from './call.ts'
import { currentCall } from './context.ts'
import { describe, metaService } from './describe.ts'
import { isNotExecuted, markNotExecuted, RpcError } from './error.ts'
import { method } from './method.ts'
import { seededRandom } from './random.ts'
import { createRouter, type RouterOptions } from './router.ts'
import { service, type Service } from './service.ts'

function setUp(services: readonly Service[], options: Partial<RouterOptions> = {}) {
  const clock = createVirtualClock(1000)
  const logged: { thrown: unknown; id: string }[] = []
  const onInternalError = (thrown: unknown, _call: Call, id: string) => void logged.push({ thrown, id })
  const router = createRouter({ random: seededRandom(1), onInternalError, ...options })
  for (const one of services) router.add(one)
  const makeCall = (name: string, args: unknown[] | Arguments = [], init: Partial<CallInit> = {}) => {
    const dot = name.lastIndexOf('.')
    const call = new Call({
      clock,
      service: name.slice(0, Math.max(0, dot)),
      method: name.slice(dot + 1),
      args: Array.isArray(args) ? { list: args } : args,
      deadline: clock.now() + 10_000,
      phase: 'read',
      ...init,
    })
    call.watchDeadline()
    return call
  }
  const run = (name: string, args?: unknown[] | Arguments, init?: Partial<CallInit>) =>
    router.handler(makeCall(name, args, init))
  return { clock, logged, router, makeCall, run }
}

const math = service(
  'math',
  {
    add: (a: number, b: number, c = 10) => a + b + c,
    async slow(a: number) {
      return a
    },
    async *count(upTo: number) {
      for (let i = 1; i <= upTo; i++) yield i
    },
  },
  { version: '1.2' },
)

async function take(stream: unknown): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream as AsyncIterable<unknown>) items.push(item)
  return items
}

test('a synchronous function answers synchronously, an asynchronous one with a promise', async () => {
  const { run } = setUp([math])
  assert.equal(run('math.add', [1, 2]), 13)
  assert.equal(await run('math.slow', [1]), 1)
  assert.deepEqual(await take(run('math.count', [3])), [1, 2, 3])
})

test('the call learns what is known of the method, and where it is', () => {
  const { router, makeCall } = setUp([math])
  const call = makeCall('math.add', [1, 2])
  router.handler(call)
  assert.equal(call.info, router.info('math', 'add'))
  assert.equal(call.phase, 'handle')
})

test('an unknown service or method is not found, and the error says what there is', () => {
  const { run } = setUp([math, service('text', { upper: (text: string) => text.toUpperCase() })])
  const notFound = (message: RegExp) => ({ name: 'RpcError', code: 'not_found', message })
  assert.throws(() => run('x.add'), notFound(/^unknown service 'x'; this server has: math, text$/))
  assert.throws(() => run('maths.add'), notFound(/did you mean math\? this server has/))
  assert.throws(
    () => run('math.ad'),
    notFound(/^service 'math' 1\.2 has no method 'ad'; did you mean add\?$/),
  )
  assert.throws(() => run('math.divide'), notFound(/it has: add, slow, count$/))
})

test('names of every object are never found', () => {
  const { run, makeCall, router } = setUp([math])
  for (const name of [
    '__proto__',
    'constructor',
    'prototype',
    'then',
    'toJSON',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '*',
    '\n',
  ]) {
    assert.throws(() => run(`${name}.add`), { code: 'not_found' })
    assert.throws(() => run(`math.${name}`), { code: 'not_found' })
    assert.throws(() => router.handler(makeCall(name)), { code: 'not_found' })
    assert.equal(router.info(name, name), undefined)
  }
  assert.throws(
    () => run(`${'x'.repeat(1_000_000)}.add`),
    (error: Error) => error.message.length < 200,
  )
})

test('the list of what there is is bounded', () => {
  const many = Array.from({ length: 50 }, (_, at) => service(`service_number_${at}`, { f: () => 1 }))
  const { run } = setUp(many)
  assert.throws(() => run('x.f'), { message: /service_number_9 and 40 more$/ })
})

test('a bare name is that of the only service that has it', () => {
  const other = service('other', { add: () => 1, only: () => 2 })
  const { run } = setUp([math, other])
  assert.equal(run('only'), 2)
  assert.throws(() => run('add'), {
    code: 'invalid_argument',
    message: /several services have a method 'add'; call one of math\.add, other\.add/,
  })
  assert.throws(() => run('nothing'), {
    code: 'not_found',
    message: /no service has a method 'nothing'; this server has: math, other/,
  })
  const configured = setUp([math, other], { bareService: 'other' })
  assert.equal(configured.run('add'), 1)
  assert.throws(() => configured.run('slow'), {
    code: 'not_found',
    message: /service 'other' has no method 'slow'/,
  })
})

test('services come and go while it runs', () => {
  const { router, run } = setUp([math])
  let changes = 0
  router.onChange = () => changes++
  assert.throws(() => router.add(math), { code: 'already_exists', message: /already a service 'math'/ })
  assert.equal(router.remove('math'), true)
  assert.equal(router.remove('math'), false)
  assert.throws(
    () => run('math.add', [1, 2]),
    (error) => isNotExecuted(error) && (error as RpcError).code === 'not_found',
  )
  assert.throws(
    () => run('never.there'),
    (error) => !isNotExecuted(error),
  )
  router.add(math)
  assert.equal(run('math.add', [1, 2]), 13)
  assert.deepEqual(router.services(), [math])
  assert.equal(changes, 2)
})

test('a call that was cancelled or expired while it waited never runs', async () => {
  let ran = 0
  const { clock, router, makeCall } = setUp([service('s', { f: () => ++ran })])
  const cancelled = makeCall('s.f')
  cancelled.cancel(new RpcError('cancelled', 'not wanted'))
  assert.throws(() => router.handler(cancelled), { code: 'cancelled', message: 'not wanted' })
  const ended = makeCall('s.f')
  ended.end(new RpcError('unavailable', 'connection lost'))
  assert.throws(() => router.handler(ended), { code: 'unavailable' })
  const expired = makeCall('s.f', [], { deadline: clock.now() })
  assert.throws(() => router.handler(expired), { code: 'deadline_exceeded' })
  assert.equal(ran, 0)
})

test('a call that is cancelled while its arguments are checked never runs', async () => {
  let ran = 0
  const slow = v.pipeAsync(
    v.number(),
    v.checkAsync(async () => true),
  )
  const { router, makeCall } = setUp([
    service('s', { f: method({ input: [slow] }, (a: number) => a + ++ran) }),
  ])
  const call = makeCall('s.f', [1])
  const reply = router.handler(call)
  call.cancel(new RpcError('cancelled', 'not wanted'))
  await assert.rejects(async () => reply, { code: 'cancelled' })
  assert.equal(ran, 0)
})

test("a method's own time is the most it gets", async () => {
  const never = () => new Promise(() => {})
  const { clock, router, makeCall } = setUp([service('s', { f: method({ timeoutMs: 500 }, never) })])
  const call = makeCall('s.f')
  void router.handler(call)
  await clock.advance(510)
  assert.equal(call.cancelled?.code, 'deadline_exceeded')
  const shorter = makeCall('s.f', [], { deadline: clock.now() + 100 })
  void router.handler(shorter)
  assert.equal(shorter.remainingMs(), 100)
})

test('the running call is known in functions, after awaits, and in generators with their finally', async () => {
  const seen: (string | undefined)[] = []
  const note = () => seen.push(currentCall()?.method)
  const { run } = setUp([
    service('s', {
      sync: () => void note(),
      async later() {
        await Promise.resolve()
        note()
      },
      async *items() {
        try {
          note()
          yield 1
          await Promise.resolve()
          note()
          yield 2
        } finally {
          note()
        }
      },
      out: method({ context: false }, () => void note()),
    }),
  ])
  run('s.sync')
  await run('s.later')
  for await (const item of run('s.items') as AsyncIterable<number>) if (item === 2) break
  run('s.out')
  assert.deepEqual(seen, ['sync', 'later', 'items', 'items', 'items', undefined])
})

test('what was not meant for the caller stays here, with an id to ask by', async () => {
  const secret = new Error('password is hunter2')
  const throws = () => {
    throw secret
  }
  const { run, logged } = setUp([
    service('s', {
      sync: throws,
      later: async () => throws(),
      async *items() {
        yield 1
        throws()
      },
      odd: () => {
        throw 'hunter2'
      },
    }),
  ])
  const hidden = (error: unknown) => {
    assert.ok(RpcError.is(error))
    assert.equal(error.code, 'internal')
    assert.equal(error.message, `internal error (id ${logged.at(-1)?.id})`)
    assert.doesNotMatch(JSON.stringify(error), /hunter2/)
    return true
  }
  assert.throws(() => run('s.sync'), hidden)
  await assert.rejects(async () => run('s.later'), hidden)
  await assert.rejects(() => take(run('s.items')), hidden)
  assert.throws(() => run('s.odd'), hidden)
  assert.deepEqual(
    logged.map(({ thrown }) => thrown),
    [secret, secret, secret, 'hunter2'],
  )
  assert.equal(new Set(logged.map(({ id }) => id)).size, 4)
})

test('an RpcError passes, but not its mark that a call of the handler was not executed', () => {
  const own = new RpcError('failed_precondition', 'not now', {
    details: { a: 1 },
    reason: 'busy',
    metadata: { x: 'y' },
    cause: 1,
  })
  let thrown: RpcError = own
  const { run, logged } = setUp([
    service('s', {
      f: () => {
        throw thrown
      },
    }),
  ])
  assert.throws(
    () => run('s.f'),
    (error) => error === own,
  )
  thrown = markNotExecuted(
    new RpcError('unavailable', 'nobody there', {
      details: 1,
      reason: 'r',
      metadata: { a: 'b' },
      cause: 2,
      phase: 'connect',
    }),
  )
  assert.throws(
    () => run('s.f'),
    (error) => {
      assert.ok(RpcError.is(error))
      const { code, message, details, reason, metadata, cause } = error
      assert.deepEqual(
        [code, message, details, reason, metadata, cause],
        ['unavailable', 'nobody there', 1, 'r', { a: 'b' }, 2],
      )
      return !isNotExecuted(error)
    },
  )
  assert.deepEqual(logged, [])
})

test('giving up because the call was cancelled is that cancelling', async () => {
  const waits = async () => {
    const { signal } = currentCall()!
    await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))),
    )
  }
  const { router, makeCall, logged, run } = setUp([
    service('s', {
      waits,
      aborts: () => {
        throw new DOMException('aborted', 'AbortError')
      },
    }),
  ])
  const call = makeCall('s.waits')
  const reply = router.handler(call)
  const reason = new RpcError('cancelled', 'not wanted')
  call.cancel(reason)
  await assert.rejects(
    async () => reply,
    (error) => error === reason,
  )
  assert.deepEqual(logged, [])
  assert.throws(() => run('s.aborts'), { code: 'internal' })
})

test('a declared error is checked against what was declared', async () => {
  let thrown: RpcError
  const f = () => {
    throw thrown
  }
  const later = v.pipeAsync(
    v.object({ a: v.number() }),
    v.checkAsync(async () => true),
  )
  const errors = {
    by_zero: { code: 'invalid_argument', details: z.object({ a: z.number() }) },
    plain: { code: 'aborted' },
    later: { code: 'aborted', details: later },
  } as const
  const { run, logged } = setUp([service('s', { f: method({ errors }, f) })])
  thrown = new RpcError('invalid_argument', 'no', { reason: 'by_zero', details: { a: 1, secret: 2 } })
  assert.throws(() => run('s.f'), { code: 'invalid_argument', reason: 'by_zero', details: { a: 1 } })
  thrown = new RpcError('aborted', 'no', { reason: 'plain' })
  assert.throws(
    () => run('s.f'),
    (error) => error === thrown,
  )
  thrown = new RpcError('aborted', 'no', { reason: 'later', details: { a: 1 } })
  await assert.rejects(async () => run('s.f'), { code: 'aborted', reason: 'later' })
  assert.equal(logged.length, 0)
  thrown = new RpcError('aborted', 'no', { reason: 'later', details: {} })
  await assert.rejects(async () => run('s.f'), { code: 'internal', reason: undefined })
  thrown = new RpcError('invalid_argument', 'no', { reason: 'by_zero', details: { a: 'one' } })
  assert.throws(() => run('s.f'), { code: 'internal', message: /^internal error/ })
  thrown = new RpcError('not_found', 'no', { reason: 'plain' })
  assert.throws(() => run('s.f'), { code: 'internal' })
  assert.match(String(logged[2]?.thrown), /declared as aborted but was thrown as not_found/)
})

test('what a client call gives is awaited, though it can also be iterated', async () => {
  const both = () =>
    Object.assign(Promise.resolve(7), { [Symbol.asyncIterator]: () => assert.fail('not a stream') })
  const { run } = setUp([service('s', { f: both })])
  assert.equal(await run('s.f'), 7)
})

test('a stream that comes after the call was cancelled is ended', async () => {
  const returned: string[] = []
  const stream = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: 1 }),
      return: async () => {
        returned.push('yes')
        return { done: true as const, value: undefined }
      },
    }),
  }
  let answer: (value: unknown) => void = () => {}
  const { router, makeCall } = setUp([
    service('s', { f: () => new Promise((resolve) => (answer = resolve)) }),
  ])
  const call = makeCall('s.f')
  const reply = router.handler(call)
  call.cancel(new RpcError('cancelled', 'not wanted'))
  answer(stream)
  await assert.rejects(async () => reply, { code: 'cancelled' })
  assert.deepEqual(returned, ['yes'])
})

test('schemas check and change arguments, and say which one is wrong and where', async () => {
  const item = z.object({ name: z.string() })
  const evenLater = v.pipeAsync(
    v.number(),
    v.checkAsync(async (n) => n % 2 === 0, 'not even'),
  )
  const { run, logged } = setUp([
    service('s', {
      f: method(
        { input: [z.number(), z.array(item).default([])] },
        (a: number, items?: { name: string }[]) => [a, items],
      ),
      later: method({ input: [evenLater] }, (n: number) => n),
      rest: method({ input: [z.string(), z.number()] }, (a: string, ...more: number[]) => [a, more]),
      trim: method(
        { params: ['text'], input: [z.string().transform((text) => text.trim())] },
        (text: string) => text,
      ),
      broken: method(
        {
          input: [
            z.number().transform((): number => {
              throw new Error('secret')
            }),
          ],
        },
        (a: number) => a,
      ),
      many: method({ input: [z.array(z.number())] }, (a: number[]) => a),
    }),
  ])
  assert.deepEqual(run('s.f', [1, [{ name: 'a', extra: 1 }]]), [1, [{ name: 'a' }]])
  assert.deepEqual(run('s.f', [1]), [1, []])
  assert.equal(run('s.trim', { list: [], named: new Map([['text', ' a ']]) }), 'a')
  assert.throws(() => run('s.f', ['one']), { code: 'invalid_argument', message: /^s\.f: argument 'a': / })
  assert.throws(() => run('s.f', []), { message: /^s\.f: missing argument 'a': / })
  assert.throws(
    () => run('s.f', [1, [{ name: 'a' }, { name: 2 }]]),
    (error) => {
      assert.ok(RpcError.is(error))
      assert.match(error.message, /^s\.f: argument 'items' at \[1\]\.name: /)
      assert.deepEqual(
        (error.details as { issues: { path: string }[] }).issues.map(({ path }) => path),
        ['[1].name'],
      )
      return true
    },
  )
  assert.throws(
    () => run('s.many', [Array(100).fill('x')]),
    (error) => {
      assert.equal(((error as RpcError).details as { issues: unknown[] }).issues.length, 10)
      return /and 99 more/.test((error as Error).message)
    },
  )
  assert.deepEqual(run('s.rest', ['a']), ['a', []])
  assert.deepEqual(run('s.rest', ['a', 1, 2]), ['a', [1, 2]])
  assert.throws(() => run('s.rest', ['a', 1, 'x']), { message: /argument 'more'/ })
  assert.equal(await run('s.later', [2]), 2)
  await assert.rejects(async () => run('s.later', [3]), {
    code: 'invalid_argument',
    message: "s.later: argument 'n': not even",
  })
  assert.equal(logged.length, 0)
  await assert.rejects(async () => run('s.broken', [1]), { code: 'internal', message: /^internal error/ })
})

test('an argument that is refused at once leaves no rejection of another behind', async () => {
  const fails = v.pipeAsync(
    v.number(),
    v.checkAsync(async () => false, 'never'),
  )
  const { run } = setUp([
    service('s', { f: method({ input: [fails, z.number()] }, (a: number, b: number) => a + b) }),
  ])
  assert.throws(() => run('s.f', [1, 'x']), { code: 'invalid_argument', message: /'b'/ })
  await new Promise((resolve) => setImmediate(resolve))
})

test('a stream argument is checked item by item, and left when one is wrong', async () => {
  let left = false
  async function* numbers(...items: unknown[]) {
    try {
      yield* items
    } finally {
      left = true
    }
  }
  const total = async (values: AsyncIterable<number>) => {
    let sum = 0
    for await (const value of values) sum += value
    return sum
  }
  const { run } = setUp([service('s', { total: method({ input: [z.number()], streams: 'input' }, total) })])
  assert.equal(await run('s.total', [numbers(1, 2)]), 3)
  left = false
  await assert.rejects(async () => run('s.total', [numbers(1, 'two', 3)]), {
    code: 'invalid_argument',
    message: /argument 'values'/,
  })
  assert.ok(left)
})

test('a result that does not fit its schema is our own mistake', async () => {
  const shape = z.object({ id: z.number() })
  const later = v.pipeAsync(
    v.number(),
    v.checkAsync(async (n) => n > 0, 'too small'),
  )
  const { run, logged } = setUp([
    service('s', {
      f: method({ output: shape }, (id: unknown): { id: number } =>
        Object.assign({ id: id as number }, { secret: 1 }),
      ),
      async: method({ output: shape }, async (id: unknown) => ({ id: id as number })),
      later: method({ output: later }, (n: number) => n),
      items: method({ output: z.number() }, async function* () {
        yield 1
        yield 'two' as unknown as number
      }),
    }),
  ])
  assert.deepEqual(run('s.f', [1]), { id: 1 })
  assert.equal(await run('s.later', [1]), 1)
  assert.throws(() => run('s.f', ['x']), { code: 'internal', message: /^internal error/ })
  await assert.rejects(async () => run('s.async', ['x']), { code: 'internal' })
  await assert.rejects(async () => run('s.later', [-1]), { code: 'internal' })
  await assert.rejects(() => take(run('s.items')), { code: 'internal' })
  assert.match(String(logged[0]?.thrown), /s\.f: the result does not fit its schema at id/)
  assert.equal(logged.length, 4)
})

test('arguments that do not decode are the error that says so', () => {
  const { router, makeCall } = setUp([math])
  const call = makeCall('math.add', [], {
    args: {
      decode() {
        throw new RpcError('invalid_argument', 'garbage')
      },
    },
  })
  assert.throws(() => router.handler(call), { code: 'invalid_argument', message: 'garbage' })
})

test('a service describes itself', () => {
  const { router, run } = setUp([
    math,
    service('s', {
      f: method(
        { idempotent: true, doc: 'Eff.', timeoutMs: 5, errors: { e: { code: 'aborted' } } },
        ({ a }: { a: number }) => a,
      ),
    }),
  ])
  router.add(metaService(router))
  assert.deepEqual(
    describe(math).methods.map(({ signature }) => signature),
    ['add(a, b, c=10)', 'slow(a)', 'count(upTo)'],
  )
  assert.deepEqual(run('farcall.meta.services'), ['math', 's', 'farcall.meta'])
  assert.deepEqual(run('farcall.meta.methods', ['s']), [
    {
      name: 's',
      methods: [
        {
          name: 'f',
          signature: 'f({…})',
          idempotent: true,
          input: 'values',
          output: 'value',
          timeoutMs: 5,
          errors: ['e'],
          doc: 'Eff.',
        },
      ],
    },
  ])
  assert.equal((run('farcall.meta.methods') as unknown[]).length, 3)
  assert.throws(() => run('farcall.meta.methods', ['x']), { code: 'not_found' })
  assert.throws(() => run('services'), { code: 'not_found' })
})
