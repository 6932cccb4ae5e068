import { type BroadcastResult, connect } from 'farcall'
import type { Polyglot } from './server.ts'

// Calls everyone whom the registry knows, in each of three protocols. A broadcast asks all of them at once.

const registry = `registry://${process.argv[2] ?? '127.0.0.1:9999'}`

// Ours: services by their names.
await using farcall = connect(registry, { protocols: ['farcall'] })
const ours = farcall.service<Polyglot>('polyglot').$broadcast()
tell('farcall', await ours.add(20, 22), await ours.hello('Ada'))

// Go's: the names of Go, and one struct.
interface Go {
  Add(numbers: { A: number; B: number }): number
  Hello(name: string): string
}
await using geerpc = connect(registry, { protocols: ['geerpc'] })
const go = geerpc.service<Go>('Polyglot').$broadcast()
tell('geerpc', await go.Add({ A: 20, B: 22 }), await go.Hello('Ada'))

// Python's: methods without a service.
await using labJson = connect(registry, { protocols: ['lab-json'] })
const python = labJson.service<Polyglot>('').$broadcast()
tell('lab-json', await python.add(20, 22), await python.hello('Ada'))

function tell(protocol: string, added: BroadcastResult<number>[], greeted: BroadcastResult<string>[]) {
  for (const { endpoint, value, error } of added) {
    const add = value ?? error?.message
    const hello = greeted.find((one) => one.endpoint === endpoint)?.value
    console.log(JSON.stringify({ protocol, server: endpoint.split('//')[1], add, hello }))
  }
}
