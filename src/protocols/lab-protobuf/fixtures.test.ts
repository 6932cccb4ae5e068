import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { labRegistryService } from '../../discovery/api/lab-registry.ts'
import { cutAt, dialScript, readFixture } from '../json-head/session-rig.suite.ts'
import { fakeRegistry, handlerOf, lab, protocol, readResponse, serve } from './testing.suite.ts'

type Call = readonly [service: string, method: string, args: readonly unknown[]]
const registry = (method: string, args: object): Call => [labRegistryService, method, [args]]
const here = { host: '127.0.0.1', port: 50_000 }

/** How we ask what the Python client asked; what its server answered, as we see it; what our own server answers. */
const rows: readonly [name: string, call: Call, value: unknown, answer: Readonly<Record<string, unknown>>][] =
  [
    ['add', ['', 'add', [1, 2]], 3, { type: 'success', add: { sum: 3 } }],
    ['negative', ['', 'add', [-1, -2]], -3, { type: 'success', add: { sum: -3 } }],
    ['zero', ['', 'add', [0, 0]], 0, { type: 'success', add: { sum: 0 } }],
    ['absent', ['', 'add', []], 0, { type: 'success', add: { sum: 0 } }],
    ['text', ['', 'upper', ['grüße €😀']], 'GRÜSSE €😀', { type: 'success', upper: { text: 'GRÜSSE €😀' } }],
    [
      'several',
      ['', 'divide', [7, 2]],
      { quotient: 3, remainder: 1 },
      { type: 'success', divide: { quotient: 3, remainder: 1 } },
    ],
    [
      'failure',
      ['', 'divide', [1, 0]],
      /^unknown: ZeroDivisionError/,
      { type: 'fail', content: 'division by zero' },
    ],
    [
      'unknown-service',
      ['', 'nope', []],
      /^unknown: service nope does not exist/,
      { type: 'fail', content: "no service has a method 'nope'; this server has: lab" },
    ],
    [
      'register',
      registry('register', { service: 'add', ...here }),
      undefined,
      { type: 'success', content: 'registered' },
    ],
    ['heartbeat', registry('heartbeat', here), true, { type: 'success', content: 'alive' }],
    ['heartbeat-unknown', registry('heartbeat', here), false, { type: 'success', content: 'alive' }],
    [
      'discover',
      registry('discover', { service: 'add' }),
      [here],
      { type: 'success', servers: [{ host: '10.0.0.1', port: 50_000 }] },
    ],
    [
      'discover-nobody',
      registry('discover', { service: 'add' }),
      /^not_found: no server has add/,
      { type: 'success', servers: [{ host: '10.0.0.1', port: 50_000 }] },
    ],
  ]
const places = fc.array(fc.nat(), { maxLength: 12 })

describe('lab-protobuf: the bytes of the Python peers', () => {
  for (const [name, [service, method, args], value, answer] of rows) {
    it(`${name}: our server answers the client however its bytes are cut`, async () => {
      const sent = readFixture(import.meta.dirname, `${name}.client.bin`)
      await fc.assert(
        fc.asyncProperty(places, async (cuts) => {
          const rig = await serve(handlerOf(lab, fakeRegistry()))
          for (const piece of cutAt(sent, cuts)) await rig.send(piece)
          if (name === 'absent') await rig.clock.advance(200)
          assert.deepEqual(await rig.answer(), answer)
        }),
        { numRuns: 20 },
      )
    })

    it(`${name}: our client reads the answer however its bytes are cut`, async () => {
      const sent = readFixture(import.meta.dirname, `${name}.server.bin`)
      await fc.assert(
        fc.asyncProperty(places, async (cuts) => {
          const rig = await dialScript(protocol)
          const { reply } = rig.start(method, args, { service })
          await rig.clock.settle()
          for (const piece of cutAt(sent, cuts)) {
            rig.peer.send(piece)
            await rig.clock.settle()
          }
          rig.peer.wire.end()
          const result = await reply
          if (value instanceof RegExp) {
            const { code, message } = result as { code: string; message: string }
            assert.match(`${code}: ${message}`, value)
          } else assert.deepEqual(result, value)
          await rig.close()
        }),
        { numRuns: 20 },
      )
    })

    // Ours always sends the message of a method that has one, and never that of another.
    if (name === 'absent' || name === 'unknown-service') continue
    it(`${name}: our client writes the request as Python does`, async () => {
      const theirs = readFixture(import.meta.dirname, `${name}.client.bin`)
      const rig = await dialScript(protocol)
      rig.start(method, args, { service })
      await rig.clock.settle()
      const ours = await rig.peer.read(rig.peer.received)
      // All but the time, which has its own form.
      const withoutTime = (bytes: Uint8Array) =>
        Buffer.from(bytes)
          .toString('latin1')
          .replace(/\x1a(\x13.{19}|\x18.{24})/, '')
      assert.equal(withoutTime(ours), withoutTime(theirs))
      await rig.close()
    })
  }

  it('every prefix of an answer is refused, or is an answer that was left out in part', () => {
    for (const [name] of rows) {
      const sent = readFixture(import.meta.dirname, `${name}.server.bin`)
      for (let end = 0; end < sent.length; end++) {
        try {
          readResponse(sent.subarray(0, end))
        } catch (error) {
          assert.match(String(error), /ends in the middle/)
        }
      }
    }
  })
})
