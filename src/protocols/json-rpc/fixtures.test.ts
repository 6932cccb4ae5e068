import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RpcError } from '../../core/error.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import { parseJson } from '../json-head/read-json.ts'
import { cutAt, dialScript, readFixture, serveScript } from '../json-head/session-rig.suite.ts'
import { createJsonRpcProtocol, jsonRpcProtocol } from './index.ts'

const arith = service('Arith', {
  Multiply: ({ A, B }: { A: number; B: number }) => A * B,
  Divide(A: number, B: number) {
    if (B === 0) throw new RpcError('invalid_argument', 'divide by zero')
    return { Quo: Math.trunc(A / B), Rem: A % B }
  },
  Echo: (value: unknown) => value,
  Sleep: async (ms: number) => ms,
})

type Answer = { id: number; result: unknown; error: string | null }
const lines = (bytes: Uint8Array | string): Answer[] => {
  const text = typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)
  const answers = text.split('\n').filter((line) => line !== '')
  return answers.map((line) => parseJson(line) as Answer).toSorted((a, b) => a.id - b.id)
}
const sent = readFixture(import.meta.dirname, 'go.client.bin')
const answered = readFixture(import.meta.dirname, 'go.server.bin')
const recorded = lines(answered)
const places = fc.array(fc.nat(), { maxLength: 30 })

describe("json-rpc: the bytes of Go's net/rpc/jsonrpc", () => {
  it('our server answers the client as Go did, however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
        router.add(arith)
        const rig = await serveScript(jsonRpcProtocol, router.handler)
        let text = ''
        for (const piece of cutAt(sent, cuts)) text += await rig.ask(piece)
        const answers = lines(text)
        assert.deepEqual(
          answers.map(({ id, result }) => ({ id, result })),
          recorded.map(({ id, result }) => ({ id, result })),
        )
        // The words differ where Go says "rpc: can't find …".
        for (const [i, { error }] of recorded.entries())
          assert.equal(typeof answers[i]?.error, typeof error, String(error))
        assert.equal(answers[2]?.error, 'divide by zero')
      }),
      { numRuns: 15 },
    )
  })

  it('our client reads the answers, however their bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        const rig = await dialScript(createJsonRpcProtocol({ version: '1.0' }))
        const replies = recorded.map(() => rig.start('f', []).reply)
        await rig.clock.settle()
        for (const piece of cutAt(answered, cuts)) {
          rig.peer.send(piece)
          await rig.clock.settle()
        }
        for (const [i, reply] of replies.entries()) {
          const { result, error } = recorded[i] as Answer
          const value = await reply
          if (error === null) assert.deepEqual(value, result)
          else assert.ok(RpcError.is(value) && value.message === error)
        }
        await rig.close()
      }),
      { numRuns: 15 },
    )
  })
})
