import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { msgpackCodec } from '../../codecs/msgpack/msgpack.ts'
import { createSessionPair } from '../../testing/session-pair.ts'
import { farcallProtocol } from './farcall.ts'

// The frames of the example in SPEC.md, as bytes of the given direction.
function exampleFrames(arrow: string): string[] {
  const text = readFileSync(new URL('./SPEC.md', import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${arrow} `) && !line.includes('{'))
    .map((line) => line.slice(3).replaceAll(/\s+/g, ''))
}

it('the example of SPEC.md is what is really sent', async () => {
  await using p = await createSessionPair({
    protocol: farcallProtocol,
    codecs: [msgpackCodec],
    handler: (call) => (call.args.list[0] as number) + (call.args.list[1] as number),
  })
  const toServer: string[] = []
  const toClient: string[] = []
  const record = (wire: typeof p.clientWire, into: string[]) => {
    const { onData } = wire
    wire.onData = (chunk) => {
      into.push(Buffer.from(chunk).toString('hex'))
      onData(chunk)
    }
  }
  record(p.serverWire, toServer)
  record(p.clientWire, toClient)
  const call = () => p.call('add', [1, 2], { service: 'math' })
  assert.equal(await call(), 3)
  assert.equal(await call(), 3)
  const sent = exampleFrames('->')
  const got = exampleFrames('<-')
  assert.equal(sent.length, 2)
  assert.equal(got.length, 1)
  const all = toServer.join('')
  for (const frame of sent) assert.ok(all.includes(frame), `${frame} is not in ${all}`)
  assert.ok(toClient.join('').includes(got[0] as string))
})
