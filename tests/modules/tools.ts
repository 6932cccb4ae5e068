import { setTimeout as sleep } from 'node:timers/promises'
import { currentCall, method, RpcError, service } from 'farcall'

/** What the tests of the command line call. */
export const tools = service(
  'tools',
  {
    add: (a: number, b: number, c = 10) => a + b + c,
    kind: (value: unknown) => (value instanceof Date ? 'Date' : value === null ? 'null' : typeof value),
    divide(a: number, b: number) {
      if (b === 0) throw new RpcError('invalid_argument', 'division by zero', { details: { b } })
      return a / b
    },
    async *count(upTo: number) {
      for (let i = 1; i <= upTo; i++) yield i
    },
    total: method(
      { streams: 'input', idempotent: true, doc: 'Adds up a stream.' },
      async (numbers: AsyncIterable<number>) => {
        let sum = 0
        for await (const n of numbers) sum += n
        return sum
      },
    ),
    odd: () => ({ big: 2n ** 64n, at: new Date(0), bytes: new Uint8Array([1, 2]) }),
    bell: () => 'ding\u001b[31m\u0007',
    nothing: () => undefined,
    fail(): never {
      throw new Error('a secret of the server')
    },
    async wait() {
      console.log('waiting')
      const { signal } = currentCall() ?? {}
      try {
        await sleep(60_000, undefined, signal === undefined ? {} : { signal })
      } finally {
        console.log('given up')
      }
    },
    login: (user: string, password: string, pin: number) => `${user} ${password.length} ${pin}`,
    tenant: () => currentCall()?.metadata.get('tenant') ?? 'nobody',
    timeout: (timeout: number) => timeout,
  },
  { version: '1.2' },
)
