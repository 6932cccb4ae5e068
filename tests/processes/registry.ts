import { startRegistry, stopOnSignals } from 'farcall'

const registry = await startRegistry({ port: Number(process.argv[2] ?? 0) })
stopOnSignals([registry])
console.log(`ready ${registry.targets[0]}`)
