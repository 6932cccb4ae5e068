import { serve, stopOnSignals } from 'farcall'
import { tools } from '../modules/tools.ts'

// Serves the tests' module with the options that it is given as JSON.
const server = await serve([tools], JSON.parse(process.argv[2] ?? '{}'))
stopOnSignals([server])
console.log(`ready ${server.targets[0]}`)
await server.registered
console.log('registered')
