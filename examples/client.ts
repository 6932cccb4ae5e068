import { connect } from 'farcall'
import type { math } from './math.ts'

// node --conditions=@farcall/source examples/client.ts [target]
// The server: npm run farcall -- serve examples/math.ts

const target = process.argv[2] ?? 'tcp://127.0.0.1:8089'
await using client = connect(target)
const m = client.service<typeof math>('math')

console.log(await m.add(1, 2))
console.log(await m.$named.add({ a: 1, b: 2, c: 3 }))
for await (const n of m.count(3)) console.log(n)

async function* numbers() {
  yield 40
  yield 2
}
console.log(await m.total(numbers()))
