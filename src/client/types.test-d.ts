// Compiled, never run: each line that must not compile is marked, and tsc fails where a mark is wrong.
import { z } from 'zod'
import * as v from 'valibot'
import { RpcError } from '../core/error.ts'
import { method } from '../core/method.ts'
import { service } from '../core/service.ts'
import type { Stream } from '../core/stream.ts'
import type {
  BroadcastResult,
  Client,
  CallOptions,
  NamedArguments,
  ServiceClient,
  StreamCall,
  TypedError,
  UntypedService,
} from './types.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function expect<_Holds extends true>(): void {}

const math = service(
  'math',
  {
    add: (a: number, b: number, c = 10) => a + b + c,
    greet(name: string, greeting?: string) {
      return `${greeting ?? 'hello'} ${name}`
    },
    divide: method(
      {
        params: ['a', 'b'],
        input: [z.number(), v.number()],
        output: z.number(),
        idempotent: true,
        timeoutMs: 500,
        errors: {
          by_zero: { code: 'invalid_argument', details: z.object({ a: z.number() }) },
          too_big: { code: 'out_of_range' },
        },
      },
      (a: number, b: number) => {
        if (b === 0)
          throw new RpcError('invalid_argument', 'division by zero', { reason: 'by_zero', details: { a } })
        return a / b
      },
    ),
    scale: method(
      { params: ['value', 'factor', 'unit?'] },
      (value: number, factor = 2, unit?: string) => `${value * factor}${unit}`,
    ),
    async *count(upTo: number) {
      for (let i = 1; i <= upTo; i++) yield i
    },
    async total(numbers: AsyncIterable<number>) {
      let total = 0
      for await (const n of numbers) total += n
      return total
    },
    async *double(numbers: AsyncIterable<number>): AsyncGenerator<number> {
      for await (const n of numbers) yield n * 2
    },
    async open(upTo: number): Promise<AsyncIterable<string>> {
      return (async function* () {
        yield String(upTo)
      })()
    },
    either: (flag: boolean): string | Promise<number> => (flag ? 'yes' : Promise.resolve(1)),
    nothing() {},
    fails(): never {
      throw new Error('always')
    },
    // biome-ignore lint/suspicious/noExplicitAny: what comes of it is the point
    anything: (): any => 1,
    sum: (...numbers: number[]) => numbers.length,
    async same<T>(value: T): Promise<T> {
      return value
    },
  },
  { version: '1.2' },
)

class Calculator {
  value = 1
  #secret = 2
  add(a: number, b: number) {
    return a + b + this.value
  }
  async sub(a: number, b: number) {
    return a - b - this.#secret
  }
  hidden() {}
}
const calc = service(new Calculator(), { methods: ['add', 'sub'], name: 'calc' })
const unnamed = service(new Calculator(), { methods: ['add'] as const })

/** A service that is not written in TypeScript. */
interface Weather {
  forecast(city: string, days?: number): Promise<{ high: number; low: number }>
  temperature(city: string): number
  changes(city: string): AsyncIterable<number>
}

declare const client: ServiceClient
const m = client.service<typeof math>('math')

export function methodsHaveTheFunctionsParametersAndAwaitedResults() {
  expect<Equal<typeof m.add, (a: number, b: number, c?: number) => Promise<number>>>()
  expect<Equal<typeof m.greet, (name: string, greeting?: string) => Promise<string>>>()
  expect<Equal<typeof m.divide, (a: number, b: number) => Promise<number>>>()
  expect<Equal<typeof m.count, (upTo: number) => StreamCall<number>>>()
  expect<Equal<typeof m.total, (numbers: AsyncIterable<number>) => Promise<number>>>()
  expect<Equal<typeof m.double, (numbers: AsyncIterable<number>) => StreamCall<number>>>()
  expect<Equal<typeof m.open, (upTo: number) => StreamCall<string>>>()
  expect<Equal<typeof m.either, (flag: boolean) => Promise<string | number>>>()
  expect<Equal<typeof m.nothing, () => Promise<void>>>()
  expect<Equal<typeof m.fails, () => Promise<never>>>()
  expect<Equal<ReturnType<typeof m.anything>, Promise<any>>>()
  expect<Equal<typeof m.sum, (...numbers: number[]) => Promise<number>>>()
  expect<Equal<Awaited<ReturnType<typeof m.count>>, Stream<number>>>()
}

export async function callsAreChecked() {
  const sum: number = await m.add(1, 2)
  for await (const n of m.count(3)) expect<Equal<typeof n, number>>()
  for await (const n of await m.count(3)) expect<Equal<typeof n, number>>()
  const same = await m.same({ a: sum })
  expect<Equal<typeof same, { a: number }>>()
  // @ts-expect-error a wrong argument
  void m.add('1', 2)
  // @ts-expect-error a missing argument
  void m.add(1)
  // @ts-expect-error an argument too many
  void m.add(1, 2, 3, 4)
  // @ts-expect-error no such method
  void m.ad(1, 2)
  // @ts-expect-error the result is a promise
  const early: number = m.add(1, 2)
  // @ts-expect-error a value cannot be iterated
  const items: AsyncIterable<number> = m.add(1, 2)
  void items
  // @ts-expect-error a stream argument is an AsyncIterable
  void m.total([1, 2, 3])
  // @ts-expect-error methods are not to be replaced
  m.add = async () => early
}

export function namesOfServicesAreChecked() {
  // @ts-expect-error the service is called math
  client.service<typeof math>('maths')
  // By the names of its methods alone.
  void client.service<typeof math>('').add(1, 2)
  // @ts-expect-error the service is called calc
  client.service<typeof calc>('Calculator')
  client.service<typeof unnamed>('Calculator')
  client.service<Weather>('weather')
}

export async function aClassGivesTheListedMethods() {
  const c = client.service<typeof calc>('calc')
  expect<Equal<typeof c.add, (a: number, b: number) => Promise<number>>>()
  expect<Equal<typeof c.sub, (a: number, b: number) => Promise<number>>>()
  // @ts-expect-error it was not listed
  void c.hidden()
  // @ts-expect-error it does not exist
  service(new Calculator(), { methods: ['mul'] })
  // @ts-expect-error it is no function
  service(new Calculator(), { methods: ['value'] })
}

export function onlyFunctionsMakeAService() {
  // @ts-expect-error a number is no function
  service('wrong', { answer: 42 })
  // @ts-expect-error the schema gives a string, the function takes a number
  method({ input: [z.string()] }, (a: number) => a)
  // @ts-expect-error there is no such code
  method({ errors: { gone: { code: 'gone' } } }, () => 1)
  // @ts-expect-error the schema gives a string, the function a number
  method({ output: z.string() }, () => 1)
  method({ input: [undefined, z.number()], output: z.number() }, async function* (_a: string, b: number) {
    yield b
  })
  method({ input: [z.number()] }, async (numbers: AsyncIterable<number>) => numbers)
  service('self', {
    one: () => 1,
    two(): number {
      return this.one() + 1
    },
  })
}

export async function anInterfaceByHandTypesAService() {
  const w = client.service<Weather>('weather')
  expect<Equal<typeof w.forecast, (city: string, days?: number) => Promise<{ high: number; low: number }>>>()
  expect<Equal<typeof w.temperature, (city: string) => Promise<number>>>()
  expect<Equal<typeof w.changes, (city: string) => StreamCall<number>>>()
  // @ts-expect-error a wrong argument
  void w.temperature(7)
  const direct: Client<Weather> = w
  void direct
}

export async function withoutATypeAnythingGoes() {
  const u = client.service('anything')
  expect<Equal<typeof u, Client<UntypedService>>>()
  const result: unknown = await u['whatever']?.(1, 'two')
  void result
}

export async function optionsGiveTheSameClient() {
  const quick = m.$with({
    timeoutMs: 200,
    signal: AbortSignal.timeout(1),
    metadata: { tenant: 'a' },
    key: 'user',
  })
  expect<Equal<typeof quick, typeof m>>()
  expect<Equal<Parameters<typeof m.$with>, [options: CallOptions]>>()
  // @ts-expect-error there is no such option
  m.$with({ timeout: 200 })
}

export async function argumentsByNameAreTypedWhereNamesAreDeclared() {
  expect<Equal<Parameters<typeof m.$named.divide>[0], { readonly a: number; readonly b: number }>>()
  expect<Equal<ReturnType<typeof m.$named.divide>, Promise<number>>>()
  type Scale = Parameters<typeof m.$named.scale>[0]
  const scaled: Scale[] = [{ value: 1 }, { value: 1, factor: 2, unit: 'm' }]
  void scaled
  // @ts-expect-error b is missing
  void m.$named.divide({ a: 1 })
  // @ts-expect-error b is a number
  void m.$named.divide({ a: 1, b: '2' })
  // @ts-expect-error there is no c
  void m.$named.divide({ a: 1, b: 2, c: 3 })
  void m.$named.add({ a: 1, b: 2 })
  void m.$named.nothing()
  // @ts-expect-error it takes none
  void m.$named.nothing({ a: 1 })
  expect<Equal<ReturnType<typeof m.$named.count>, StreamCall<number>>>()
  expect<
    Equal<NamedArguments<[a: number, b?: string], ['a', 'b']>, { readonly a: number; readonly b?: string }>
  >()
}

export async function broadcastGivesWhatEachAnswered() {
  const all = await m.$broadcast().add(1, 2)
  expect<Equal<typeof all, BroadcastResult<number>[]>>()
  for (const { endpoint, value, error } of all) {
    expect<Equal<typeof endpoint, string>>()
    if (error === undefined) expect<Equal<typeof value, number>>()
  }
  const one = await m.$broadcast({ result: 'first', timeoutMs: 100 }).add(1, 2)
  expect<Equal<typeof one, number>>()
}

export async function oneWayGivesNothing() {
  expect<Equal<typeof m.$send.add, (a: number, b: number, c?: number) => Promise<void>>>()
}

export async function errorsAsValuesNarrowOnTheirReason() {
  const tried = await m.$try.divide(1, 0)
  if (tried.ok) {
    expect<Equal<typeof tried.value, number>>()
    return
  }
  const { error } = tried
  expect<Equal<(typeof error)['reason'], 'by_zero' | 'too_big' | undefined>>()
  if (error.reason === 'by_zero') {
    expect<Equal<typeof error.details.a, number>>()
    expect<Equal<typeof error.code, 'invalid_argument'>>()
    // @ts-expect-error by_zero has no b
    void error.details.b
  } else if (error.reason === 'too_big') {
    expect<Equal<typeof error.code, 'out_of_range'>>()
  }
  const message: string = error.message
  void message
  const plain = await m.$try.add(1, 2)
  if (!plain.ok) expect<Equal<typeof plain.error, RpcError>>()
  // biome-ignore lint/complexity/noBannedTypes: nothing is declared
  expect<Equal<TypedError<{}>, RpcError>>()
}
