import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { metaService } from '../../core/describe.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { service } from '../../core/service.ts'
import { parseJson } from '../json-head/read-json.ts'
import { cutAt, dialScript, readFixture, serveScript } from '../json-head/session-rig.suite.ts'
import { labJsonProtocol } from './index.ts'

const big = 15511210043330985984000000n
const lab = service('lab', {
  add: (a: number, b: number, c = 10) => a + b + c,
  upper: (text: string) => text.toUpperCase(),
  factorial: (_n: number) => big,
  infinity: (sign = 1) => sign * Infinity,
  reverse: (items: unknown[]) => items.toReversed(),
  div(a: number, b: number) {
    if (b === 0) throw new RangeError('division by zero')
    return a / b
  },
})

// What the Python server answered, and we should; undefined where only the kind of the answer is the same.
const rows: [name: string, value: unknown][] = [
  ['positional', 13],
  ['named', 6],
  ['unicode', 'GRÜSSE €😀'],
  ['big', big],
  ['infinity', Infinity],
  ['nested', [{ x: true }, null, 'a', 1]],
  ['methods', undefined],
  ['no-such-method', undefined],
  ['wrong-arguments', undefined],
  ['failure', undefined],
]
const places = fc.array(fc.nat(), { maxLength: 12 })

describe('lab-json: the bytes of the Python peers', () => {
  for (const [name, value] of rows) {
    it(`${name}: our server answers the client however its bytes are cut`, async () => {
      const sent = readFixture(import.meta.dirname, `${name}.client.bin`)
      const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
      router.add(lab)
      router.add(metaService(router))
      const { ask } = await serveScript(labJsonProtocol, router.handler)
      await fc.assert(
        fc.asyncProperty(places, async (cuts) => {
          let answer = ''
          for (const piece of cutAt(sent, cuts)) answer += await ask(piece)
          const { res } = parseJson(answer, 'python') as { res: unknown }
          if (value !== undefined) assert.deepEqual(res, value)
          else assert.equal(typeof res, name === 'methods' ? 'object' : 'string')
        }),
        { numRuns: 20 },
      )
    })

    it(`${name}: our client reads the answer however its bytes are cut`, async () => {
      const sent = readFixture(import.meta.dirname, `${name}.server.bin`)
      const rig = await dialScript(labJsonProtocol)
      await fc.assert(
        fc.asyncProperty(places, async (cuts) => {
          const { reply } = rig.start('f', [])
          await rig.clock.settle()
          for (const piece of cutAt(sent, cuts)) {
            rig.peer.send(piece)
            await rig.clock.settle()
          }
          const res = await reply
          if (value !== undefined) assert.deepEqual(res, value)
          else assert.equal(typeof res, name === 'methods' ? 'object' : 'string')
        }),
        { numRuns: 20 },
      )
      await rig.close()
    })
  }
})
