import { method, serve, service, stopOnSignals } from 'farcall'

const add = (a: number, b: number) => a + b
const hello = (name: string) => `Hello ${name}, this is TypeScript`

// The same functions in the words of their callers. In TypeScript and Python:
const polyglot = service('polyglot', { add, hello })
// In Go, where names begin with a capital letter, and arguments are one struct, { A, B }:
const forGo = service('Polyglot', { Add: method({ params: ['A', 'B'] }, add), Hello: hello })

export type Polyglot = typeof polyglot

const registry = `registry://${process.argv[2] ?? '127.0.0.1:9999'}`
const server = await serve([polyglot, forGo], { port: 0, registry })
stopOnSignals([server])
await server.registered
console.log('ready', server.targets[0]?.replace('tcp://', ''))
