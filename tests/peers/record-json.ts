// Writes the fixtures of lab-json and json-rpc: what real peers in Python and Go say to each other, byte by byte.
//   node --conditions=@farcall/source tests/peers/record-json.ts
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { buildGo } from '../support/go-peer.ts'
import { feed, start } from '../support/process.ts'
import { recordingProxy } from '../support/recording-proxy.ts'
import { saveRecording } from '../support/save-recording.ts'

const python = fileURLToPath(new URL('python/', import.meta.url))

/** One connection per call, as the original makes them: one pair of files each. */
const labCalls = [
  ['positional', { method: 'add', args: [1, 2] }],
  ['named', { method: 'add', args: [1], kwargs: { b: 2, c: 3 } }],
  ['unicode', { method: 'upper', args: ['grüße €😀'] }],
  ['big', { method: 'factorial', args: [25] }],
  ['infinity', { method: 'infinity' }],
  ['nested', { method: 'reverse', args: [[1, 'a', null, { x: true }]] }],
  ['methods', { method: 'all_your_methods' }],
  ['no-such-method', { method: 'nope' }],
  ['wrong-arguments', { method: 'add', args: [1] }],
  ['failure', { method: 'div', args: [1, 0] }],
] as const

await recordLab()
await recordGo()

async function recordLab(): Promise<void> {
  await using server = start('python3', [`${python}lab_server.py`, '-l', '127.0.0.1', '-p', '0'])
  const [, port] = await server.line(/listening on \S+:(\d+)/)
  await using proxy = await recordingProxy(`tcp://127.0.0.1:${port}`)
  const via = new URL(proxy.target.replace('tcp:', 'http:')).port
  await using client = start('python3', [`${python}lab_client.py`, '-i', '127.0.0.1', '-p', via])
  await feed(
    client,
    labCalls.map(([, call]) => JSON.stringify(call)),
  )
  for (const [at, [name]] of labCalls.entries()) await saveRecording('lab-json', name, proxy.recordings[at])
}

async function recordGo(): Promise<void> {
  const program = buildGo('jsonrpc')
  await using server = start(program, ['server', '127.0.0.1:0'])
  const [, port] = await server.line(/listening on \S+:(\d+)/)
  await using proxy = await recordingProxy(`tcp://127.0.0.1:${port}`)
  await using client = start(program, ['client', proxy.target.replace('tcp://', '')])
  await once(client.child, 'close')
  await saveRecording('json-rpc', 'go', proxy.recordings[0])
}
