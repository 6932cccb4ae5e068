// The services of the demo. Copy what you like: a service is an object of functions, and `typeof` it is its contract.
import { currentCall, method, RpcError, service } from 'farcall'

/** Plain functions. Default values are the server's: a caller may leave `c` out. */
export const math = service('math', {
  add: (a: number, b: number, c = 10) => a + b + c,

  /** An RpcError is meant for the caller: its code, message and details travel. */
  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return a / b
  },

  /** Safe to repeat, and said so: if a server dies meanwhile, another one is asked. */
  isPrime: method({ idempotent: true, doc: 'Whether a whole number is prime.' }, (n: number) => isPrime(n)),

  /** Bigints travel as they are. */
  factorial(n: number) {
    let product = 1n
    for (let i = 2n; i <= BigInt(n); i++) product *= i
    return product
  },

  /** A server stream: an async generator. Who leaves the loop early ends it here, at once. */
  async *primes(upTo: number) {
    for (let n = 2; n <= upTo; n++) if (isPrime(n)) yield n
  },

  /** A client stream: any one argument may be an async iterable. */
  async total(numbers: AsyncIterable<number>) {
    let sum = 0
    for await (const n of numbers) sum += n
    return sum
  },
})

export const text = service('text', {
  /** Named arguments, typed: `client.$named.pad({ text: 'ab', width: 5 })`. */
  pad: method(
    { params: ['text', 'width', 'fill?'], idempotent: true },
    (text: string, width: number, fill = ' ') => text.padStart(width, fill),
  ),

  words: method({ idempotent: true, doc: 'How often each word occurs.' }, (text: string) => {
    const counts = new Map<string, number>()
    for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? [])
      counts.set(word, (counts.get(word) ?? 0) + 1)
    return counts
  }),

  /** Both directions: what comes in goes out in capitals, item by item. */
  async *shout(lines: AsyncIterable<string>) {
    for await (const line of lines) yield `${line.toUpperCase()}!`
  },
})

/** Standard Schema is an interface, so any library will do (zod, valibot, arktype). This one is ten lines by hand. */
const amount = {
  '~standard': {
    version: 1,
    vendor: 'demo',
    validate: (value: unknown) =>
      typeof value === 'number' && value > 0 && Number.isFinite(value)
        ? { value }
        : { issues: [{ message: `should be an amount above 0, got ${JSON.stringify(value)}` }] },
  },
} as const

const balances = new Map([
  ['ada', 100],
  ['bob', 20],
])

export const bank = service('bank', {
  /** Checked before it runs, and its own errors are declared: a caller's type narrows on `reason`. */
  withdraw: method(
    {
      params: ['account', 'sum'],
      input: [undefined, amount],
      errors: { insufficient_funds: { code: 'failed_precondition' } },
      doc: 'Checked by a schema; declares its errors.',
    },
    (account: string, sum: number) => {
      const balance = balances.get(account) ?? 0
      if (sum > balance) {
        const options = { reason: 'insufficient_funds', details: { balance, missing: sum - balance } }
        throw new RpcError('failed_precondition', `${account} has ${balance}, not ${sum}`, options)
      }
      return balance - sum
    },
  ),
})

export const work = service('work', {
  /** A slow one. It stops at once when the caller gives up: `signal` is that of the call. */
  nap: method({ idempotent: true, doc: 'Takes so many milliseconds.' }, async (ms: number) => {
    await sleep(ms, currentCall()?.signal)
    return ms
  }),

  /** The same, not said to be safe to repeat: if the server dies meanwhile, the caller is told. */
  once: async (ticket: number) => {
    await sleep(5, currentCall()?.signal)
    return ticket
  },

  /** One that fails by mistake: the caller learns an id, and the server's log has the rest under that id. */
  fail(): never {
    throw new Error('a detail that no caller should see')
  },

  /** Who answers, for a broadcast. */
  about: method({ idempotent: true }, () => ({ pid: process.pid, upSeconds: Math.round(process.uptime()) })),
})

function isPrime(n: number): boolean {
  if (!Number.isSafeInteger(n) || n < 2) return false
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
  return true
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
}
