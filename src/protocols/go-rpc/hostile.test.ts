import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createGeerpcProtocol } from '../geerpc/index.ts'
import { dialScript, serveScript } from '../json-head/session-rig.suite.ts'
import { netRpcProtocol } from '../net-rpc/index.ts'
import type { Protocol } from '../protocol.ts'

const fixture = (folder: string, file: string) =>
  new Uint8Array(readFileSync(new URL(`../${folder}/fixtures/${file}.bin`, import.meta.url)))

const rows: [name: string, protocol: Protocol, folder: string, file: string][] = [
  ['net-rpc', netRpcProtocol, 'net-rpc', 'gob'],
  ['geerpc in gob', createGeerpcProtocol({ codec: 'gob' }), 'geerpc', 'gob'],
  ['geerpc in JSON', createGeerpcProtocol({ codec: 'json' }), 'geerpc', 'json'],
]

/** Bytes that were recorded, with some of them changed, left out or put in. */
function damaged(bytes: Uint8Array) {
  const change = fc.record({
    at: fc.nat({ max: bytes.length - 1 }),
    out: fc.nat({ max: 4 }),
    in: fc.uint8Array({ maxLength: 4 }),
  })
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let all = Array.from(bytes)
    for (const each of changes) all = all.toSpliced(each.at, each.out, ...each.in)
    return Uint8Array.from(all)
  })
}

for (const [name, protocol, folder, file] of rows) {
  describe(`${name}: damaged bytes`, () => {
    it('never trouble a server: it answers or closes, and holds nothing behind', async () => {
      await fc.assert(
        fc.asyncProperty(damaged(fixture(folder, `${file}.client`)), async (bytes) => {
          const { peer, clock, session } = await serveScript(protocol, () => 1)
          peer.send(bytes)
          peer.wire.end()
          await clock.advance(40_000)
          assert.equal(session.state, 'closed')
          assert.equal(session.inFlight, 0)
          assert.equal(clock.timers, 0)
        }),
        { numRuns: 60 },
      )
    })

    it('never leave a call of a client without an end', async () => {
      await fc.assert(
        fc.asyncProperty(damaged(fixture(folder, `${file}.server`)), async (bytes) => {
          const rig = await dialScript(protocol)
          const calls = Array.from({ length: 6 }, () => rig.start('Sum', [1], { service: 'Foo' }))
          await rig.clock.settle()
          rig.peer.send(bytes)
          rig.peer.wire.end()
          await rig.clock.advance(40_000)
          assert.ok(calls.every(({ call }) => call.ended))
          assert.equal(rig.client.inFlight, 0)
          await rig.close()
        }),
        { numRuns: 60 },
      )
    })
  })
}
