import {
  createFarcall,
  currentCall,
  jsonCodec,
  type Limits,
  method,
  msgpackCodec,
  RpcError,
  service,
} from 'farcall'
import { nodeParts } from '../../src/node.ts'

// The service that both sides of the tests with the Python peer have, and the values that they exchange.

const running = new Map<string, () => void>()
/** Resolves when a call of this method runs (`slow`, `wait`), or was cancelled (`slow cancelled`). */
export const begun = (name: string) => new Promise<void>((resolve) => running.set(name, resolve))

async function untilCancelled(name: string) {
  const signal = currentCall()?.signal
  const over = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
  running.get(name)?.()
  await over
  running.get(`${name} cancelled`)?.()
}

let release = () => {}

/** Lets the running `wait` go. */
export const releaseWaiting = () => release()

/** What the Python server has too, but for `wait`. */
export const test = service('test', {
  add: method({ idempotent: true }, (a: number, b: number) => a + b),
  echo: (value: unknown) => value,
  async *count(upto: number) {
    for (let i = 0; i < upto; i++) yield i
  },
  total: method({ streams: 'input' }, async (numbers: AsyncIterable<number>) => {
    let total = 0
    for await (const n of numbers) total += n
    return total
  }),
  first: method({ streams: 'input' }, async (numbers: AsyncIterable<number>) => {
    for await (const n of numbers) return n
    return -1
  }),
  double: method({ streams: 'both' }, async function* (numbers: AsyncIterable<number>) {
    for await (const n of numbers) yield n * 2
  }),
  async *large(length: number, times: number) {
    for (let i = 0; i < times; i++) yield `${i}${'x'.repeat(length)}`
  },
  fail(code = 'failed_precondition', message = 'on purpose') {
    throw new RpcError(code as 'aborted', message, { details: { why: [1, 2] }, reason: 'purpose' })
  },
  async *failAfter(upto: number) {
    for (let i = 0; i < upto; i++) yield i
    throw new RpcError('aborted', 'after some items')
  },
  slow: () => untilCancelled('slow'),
  async wait() {
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    running.get('wait')?.()
    await released
    return 'done'
  },
  seen() {
    const call = currentCall()
    call?.head.set('kind', 'head')
    call?.trailer.set('all', 'said')
    return { ...call?.metadata.toJSON() }
  },
})

export type Test = typeof test

const codecs = { msgpack: [msgpackCodec, jsonCodec], json: [jsonCodec, msgpackCodec] } as const
export type CodecName = keyof typeof codecs

/** A client that speaks this codec, and repeats nothing. */
export function connectWith(codec: CodecName, target: string) {
  return createFarcall({ ...nodeParts, codecs: codecs[codec] }).connect(target, { retry: false })
}

/** Of every kind that travels. */
export const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  127,
  128,
  -33,
  65_536,
  2 ** 32,
  -(2 ** 31) - 1,
  2 ** 53 - 1,
  0.5,
  -0,
  1e300,
  Number.NaN,
  '',
  'héllo ☃ 😀',
  'x'.repeat(300),
  [],
  [1, [2]],
  {},
  { a: { b: [null] } },
  undefined,
  { $date: 'a name' },
  1n,
  -1n,
  2n ** 64n,
  -(2n ** 200n),
  2n ** 1100n,
  new Date(0),
  new Date(1_767_323_045_006),
  new Date(-1),
  new Uint8Array([0, 1, 255]),
  new Map<unknown, unknown>([
    ['a', 1],
    [{ k: 1 }, new Set([1, 'a'])],
  ]),
  new RangeError('too far', { cause: new Error('why') }),
]

const session = jsonCodec.open({ maxMessageBytes: 1 << 16, maxDepth: 64 } as Limits)

/** A value as the peer shows it: in our own JSON, which the tests of that codec hold against its SPEC.md. */
export function shown(value: unknown): unknown {
  const out = { bytes: new Uint8Array(1 << 16), at: 0, queued: 0, ensure() {} }
  session.encode(value, out)
  return JSON.parse(new TextDecoder().decode(out.bytes.subarray(0, out.at)))
}

export async function* upTo(count: number) {
  for (let i = 0; i < count; i++) yield i
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

export const failsWith = (code: string) => (error: RpcError) => error.code === code
