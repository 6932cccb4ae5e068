// Writes the fixtures of lab-protobuf: what the real peers in Python say to each other, byte by byte.
//   node --conditions=@farcall/source tests/peers/record-protobuf.ts
import { type Ask, askAll, type ListeningPeer, startListening } from '../support/protobuf-peer.ts'
import { recordingProxy } from '../support/recording-proxy.ts'
import { saveRecording } from '../support/save-recording.ts'

/** One connection each. Those that the registry answers go to it, the others to the server. */
const asks: readonly [name: string, ask: Ask][] = [
  ['add', { service: 'add', args: { a: 1, b: 2 } }],
  ['negative', { service: 'add', args: { a: -1, b: -2 } }],
  ['zero', { service: 'add', args: { a: 0, b: 0 } }],
  ['absent', { service: 'add' }],
  ['text', { service: 'upper', args: { text: 'grüße €😀' } }],
  ['several', { service: 'divide', args: { a: 7, b: 2 } }],
  ['failure', { service: 'divide', args: { a: 1, b: 0 } }],
  ['unknown-service', { service: 'nope', args: {}, field: 'add' }],
  ['discover-nobody', { type: 'discover', service: 'add' }],
  ['heartbeat-unknown', { type: 'heartbeat', server: ['127.0.0.1', 50_000] }],
  ['register', { type: 'register', service: 'add', server: ['127.0.0.1', 50_000] }],
  ['heartbeat', { type: 'heartbeat', server: ['127.0.0.1', 50_000] }],
  ['discover', { type: 'discover', service: 'add' }],
]

await using server = await startListening('proto_server.py', ['--proto', 'more.proto'])
await using registry = await startListening('proto_registry.py', ['--proto', 'more.proto'])
await record(server, (ask) => ask.type === undefined)
await record(registry, (ask) => ask.type !== undefined)

async function record(peer: ListeningPeer, isMeant: (ask: Ask) => boolean): Promise<void> {
  const chosen = asks.filter(([, ask]) => isMeant(ask))
  await using proxy = await recordingProxy(`tcp://${peer.address}`)
  await askAll(
    proxy.target,
    chosen.map(([, ask]) => ask),
    ['--proto', 'more.proto'],
  )
  for (const [at, [name]] of chosen.entries()) await saveRecording('lab-protobuf', name, proxy.recordings[at])
}
