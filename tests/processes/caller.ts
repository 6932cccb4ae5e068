import { connect, type RpcError, stopOnSignals } from 'farcall'
import type { tools } from '../modules/tools.ts'

// A client that has called every server that it knows, and then does as it is told until it is stopped: nothing, a call
// that never ends, or a stream of which it takes a single item.
const [target = '', servers = '1', what = 'rest'] = process.argv.slice(2)
const client = connect(target)
stopOnSignals([client])
const { $broadcast, $with } = client.service<typeof tools>('tools')
let reached = 0
while (reached < Number(servers)) {
  const legs = await $broadcast().add(1, 2)
  reached = legs.filter((leg) => 'value' in leg).length
}
const patient = $with({ timeoutMs: 300_000 })
if (what === 'call') {
  patient.wait().then(
    () => console.log('ended: answered'),
    (error: RpcError) => console.log(`ended: ${error.message}`),
  )
}
if (what === 'stream') {
  const stream = patient.count(1_000_000_000)[Symbol.asyncIterator]()
  await stream.next()
}
console.log('ready')
setInterval(() => {}, 60_000)
