import { startRegistry, stopOnSignals } from 'farcall'

// The registry of everybody; `farcall registry` is the same. Port 9999, or the one that is given; 0 takes a free one.

const registry = await startRegistry({ port: Number(process.argv[2] ?? 9999) })
stopOnSignals([registry])
console.log('ready', registry.targets[0]?.replace('tcp://', ''))
