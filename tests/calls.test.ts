import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Client, connect, method, RpcError, serve, service, silentLogger } from 'farcall'
import { z } from 'zod'

// Every way to call, through real connections.

const ran: string[] = []

const math = service(
  'math',
  {
    add: (a: number, b: number, c = 10) => a + b + c,
    nothing: () => {},
    // What TypeScript calls optional leaves no trace in what runs, so it is declared.
    pair: method({ params: ['a', 'b?'] }, (a: unknown, b?: unknown) => [a, b]),
    divide: method({ params: ['a', 'b'] }, (a: number, b: number) => {
      if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
      return a / b
    }),
    explode: () => {
      throw new TypeError('a secret of the server')
    },
    note: (what: string) => void ran.push(what),
    async *count(upTo: number) {
      for (let i = 1; i <= upTo; i++) yield i
    },
    async *countAndFail(upTo: number) {
      for (let i = 1; i <= upTo; i++) yield i
      throw new RpcError('data_loss', 'the rest is missing')
    },
    async total(numbers: AsyncIterable<number>) {
      let total = 0
      for await (const n of numbers) total += n
      return total
    },
    async *doubled(numbers: AsyncIterable<number>) {
      for await (const n of numbers) yield n * 2
    },
    scale: method(
      { params: ['numbers', 'by'], streams: 'both' },
      async function* (numbers: AsyncIterable<number>, by: number) {
        for await (const n of numbers) yield n * by
      },
    ),
    rest: (first: number, ...others: number[]) => [first, others.length],
    echo: (value: unknown) => value,
  },
  { version: '1.2' },
)

async function* numbers(upTo: number) {
  for (let i = 1; i <= upTo; i++) yield i
}

async function set() {
  const server = await serve([math], { port: 0, logger: silentLogger })
  const client = connect(server.targets)
  return {
    server,
    client,
    m: client.service<typeof math>('math'),
    // For what the compiler would not let pass.
    untyped: client.service('math') as any,
    async [Symbol.asyncDispose]() {
      await client.close()
      await server.close({ graceMs: 0 })
    },
  }
}

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

describe('kinds of call', () => {
  it('unary: defaults of parameters are those of the callee', async () => {
    await using s = await set()
    assert.equal(await s.m.add(1, 2), 13)
    assert.equal(await s.m.add(1, 2, 3), 6)
    assert.equal(await s.m.add(1, 2, undefined), 13)
    assert.equal(await s.m.nothing(), undefined)
    assert.deepEqual(await s.m.pair(undefined), [undefined, undefined])
    assert.deepEqual(await s.m.rest(1, 2, 3), [1, 2])
  })

  it('server stream: in a loop, or awaited first', async () => {
    await using s = await set()
    assert.deepEqual(await collect(s.m.count(3)), [1, 2, 3])
    const stream = await s.m.count(3)
    assert.deepEqual(await collect(stream), [1, 2, 3])
    assert.deepEqual(await collect(s.m.count(0)), [])
  })

  it('client stream and both ways, empty ones too', async () => {
    await using s = await set()
    assert.equal(await s.m.total(numbers(4)), 10)
    assert.equal(await s.m.total(numbers(0)), 0)
    assert.deepEqual(await collect(s.m.doubled(numbers(3))), [2, 4, 6])
    assert.deepEqual(await collect(s.m.$named.scale({ numbers: numbers(3), by: 3 })), [3, 6, 9])
  })

  it('a reply that streams can be the argument of the next call', async () => {
    await using s = await set()
    assert.equal(await s.m.total(await s.m.count(4)), 10)
    assert.equal(await s.m.total(s.m.count(4)), 10)
  })

  it('one-way: settles without a value, and is carried out', async () => {
    await using s = await set()
    ran.length = 0
    assert.equal(await s.m.$send.note('first'), undefined)
    // What fails there is not heard of here.
    await s.m.$send.explode()
    await s.untyped.$send.missing()
    assert.equal(await s.m.note('second'), undefined)
    assert.deepEqual(ran, ['first', 'second'])
  })

  it('by name: in any order, defaults apply, wrong names are named', async () => {
    await using s = await set()
    assert.equal(await s.m.$named.divide({ b: 2, a: 8 }), 4)
    assert.equal(await s.m.$named.add({ b: 2, a: 8 }), 20)
    await assert.rejects(
      s.untyped.$named.divide({ a: 1, d: 2 }),
      refused('invalid_argument', /math\.divide has no parameter 'd'; it takes a, b/),
    )
    await assert.rejects(
      s.untyped.$named.divide({ a: 1 }),
      refused('invalid_argument', /math\.divide is missing argument 'b'/),
    )
    await assert.rejects(
      s.untyped.$named.divide(1, 2),
      refused('invalid_argument', /\$named takes one object/),
    )
  })

  it('$try gives errors as values and never rejects', async () => {
    await using s = await set()
    assert.deepEqual(await s.m.$try.divide(4, 2), { ok: true, value: 2 })
    const tried = await s.m.$try.divide(1, 0)
    assert.equal(tried.ok, false)
    assert.equal(tried.error?.message, 'division by zero')
    const unknown = await s.untyped.$try.missing()
    assert.equal(unknown.error.code, 'not_found')
    const closed = connect(s.server.targets)
    await closed.close()
    assert.equal((await closed.service<typeof math>('math').$try.add(1, 2)).error?.code, 'unavailable')
  })

  it('$with: options of one call; they add up, and the plain client stays as it is', async () => {
    await using s = await set()
    const patient = s.m.$with({ timeoutMs: 5_000 })
    assert.equal(await patient.$with({ metadata: { tenant: 'a' } }).add(1, 2), 13)
    assert.equal(await patient.$with({ timeoutMs: 1_000 }).$named.add({ a: 1, b: 2 }), 13)
    await assert.rejects(
      s.m.$with({ timeoutMs: 0 }).add(1, 2),
      refused('deadline_exceeded', /timeoutMs is 0/),
    )
    assert.throws(
      () => s.untyped.$with({ timeout: 1 }),
      refused('invalid_argument', /unknown call option 'timeout'/),
    )
    assert.equal(await s.m.add(1, 2), 13)
  })

  it('broadcast: all answers, or the first', async () => {
    const make = (answer: () => string) => service('who', { tell: answer })
    await using a = await serve([make(() => 'a')], { port: 0 })
    await using b = await serve(
      [
        make(() => {
          throw new RpcError('aborted', 'not me')
        }),
      ],
      { port: 0 },
    )
    await using client = connect([...a.targets, ...b.targets])
    const who = client.service<ReturnType<typeof make>>('who')
    const all = await who.$broadcast().tell()
    const told = new Map(all.map((leg) => [leg.endpoint, leg.value ?? leg.error?.message]))
    assert.deepEqual(
      told,
      new Map([
        [a.targets[0], 'a'],
        [b.targets[0], 'not me'],
      ]),
    )
    assert.equal(await who.$broadcast({ result: 'first' }).tell(), 'a')
    b.remove('who')
    const left = await who.$broadcast().tell()
    assert.deepEqual(left.map(({ value, error }) => value ?? error?.code).sort(), ['a', 'not_found'])
  })
})

describe('what is wrong with a call is said to its caller', () => {
  it('too few and too many arguments, by name and number', async () => {
    await using s = await set()
    await assert.rejects(s.untyped.add(1), refused('invalid_argument', /math\.add is missing argument 'b'/))
    await assert.rejects(
      s.untyped.add(),
      refused('invalid_argument', /math\.add is missing arguments 'a', 'b'/),
    )
    await assert.rejects(
      s.untyped.add(1, 2, 3, 4),
      refused(
        'invalid_argument',
        /math\.add takes at most 3 arguments, got 4; is the server \(math 1\.2\) older/,
      ),
    )
    await assert.rejects(s.untyped.nothing(1), refused('invalid_argument', /takes no arguments, got 1/))
  })

  it('unknown methods and services, with those that are near', async () => {
    await using s = await set()
    await assert.rejects(
      s.untyped.ad(1, 2),
      refused('not_found', /service 'math' 1\.2 has no method 'ad'; did you mean add\?/),
    )
    await assert.rejects(
      (s.client.service('maths') as any).add(1, 2),
      refused('not_found', /unknown service 'maths'; did you mean math\?/),
    )
  })

  it('an exception that nobody declared stays on the server', async () => {
    await using s = await set()
    await assert.rejects(s.m.explode(), (error: unknown) => {
      assert.ok(RpcError.is(error))
      assert.match(error.message, /^internal error \(id \w+\)$/)
      assert.doesNotMatch(JSON.stringify(error) + error.stack, /secret/)
      return true
    })
  })

  it('what cannot travel is named by its path, in arguments and in results', async () => {
    await using s = await set()
    await assert.rejects(s.m.echo({ a: [1, () => 1] }), refused('invalid_argument', /a\[1\]/))
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    await assert.rejects(s.m.echo({ in: cycle }), refused('invalid_argument', /in\.self/))
    assert.equal(await s.m.add(1, 2), 13, 'the connection goes on')
  })

  it('a stream that fails raises one error, in the loop', async () => {
    await using s = await set()
    const got: number[] = []
    await assert.rejects(
      (async () => {
        for await (const n of s.m.countAndFail(2)) got.push(n)
      })(),
      refused('data_loss', /the rest is missing/),
    )
    assert.deepEqual(got, [1, 2])
  })

  it('a stream argument that fails fails the call', async () => {
    await using s = await set()
    async function* broken() {
      yield 1
      throw new Error('no more of this')
    }
    await assert.rejects(
      s.m.total(broken()),
      (error) => RpcError.is(error) && /no more of this/.test(error.message),
    )
  })
})

describe('validation and declared errors', () => {
  const shop = service('shop', {
    order: method(
      {
        params: ['item', 'count'],
        input: [z.string().min(1), z.number().int().positive().default(1)],
        output: z.object({ item: z.string(), count: z.number() }),
        errors: { out_of_stock: { code: 'failed_precondition', details: z.object({ left: z.number() }) } },
      },
      (item: string, count?: number) => {
        if (item === 'moon') {
          throw new RpcError('failed_precondition', 'no more moons', {
            reason: 'out_of_stock',
            details: { left: 0 },
          })
        }
        return (item === 'broken' ? { item } : { item, count }) as { item: string; count: number }
      },
    ),
  })

  it('says which argument is wrong, and why', async () => {
    await using server = await serve([shop], { port: 0, logger: silentLogger })
    await using client = connect(server.targets)
    const s = client.service<typeof shop>('shop')
    assert.deepEqual(await s.order('tea'), { item: 'tea', count: 1 })
    await assert.rejects(s.order('tea', -1), refused('invalid_argument', /shop\.order.*'count'/))
    await assert.rejects(s.$named.order({ item: '' }), refused('invalid_argument', /shop\.order.*'item'/))
    await assert.rejects((s as any).order(5), refused('invalid_argument', /'item'/))
    await assert.rejects(s.order('broken'), refused('internal', /internal error/))
  })

  it('a declared error arrives with its reason and details', async () => {
    await using server = await serve([shop], { port: 0, logger: silentLogger })
    await using client = connect(server.targets)
    const { error } = await client.service<typeof shop>('shop').$try.order('moon')
    assert.ok(error?.reason === 'out_of_stock')
    assert.deepEqual({ ...error.details }, { left: 0 })
  })
})

describe('clients as values', () => {
  it('can be awaited, printed and compared without a call being made', async () => {
    await using s = await set()
    const m: Client<typeof math> = await Promise.resolve(s.m)
    assert.equal(JSON.stringify({ m }), '{"m":{}}')
    assert.equal(typeof `${Object.prototype.toString.call(m)}`, 'string')
    assert.equal(s.server.stats().methods.length, 0)
  })
})
