import { RpcError, service } from 'farcall'

// npm run farcall -- serve examples/math.ts

export const math = service('math', {
  add: (a: number, b: number, c = 10) => a + b + c,

  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return a / b
  },

  async *count(upTo: number) {
    for (let i = 1; i <= upTo; i++) yield i
  },

  async total(numbers: AsyncIterable<number>) {
    let sum = 0
    for await (const n of numbers) sum += n
    return sum
  },
})
