import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RpcError } from '../core/error.ts'
import type { Handler, Layer } from '../core/layer.ts'
import { layerRig, outcomeOf } from '../testing/layer-rig.ts'

/** What every layer must leave as it is, on either side, when it has no reason to interfere. */
export function layerSuite(name: string, layer: () => Layer): void {
  describe(`layer ${name}`, () => {
    for (const side of ['client', 'server'] as const) {
      const rig = () => {
        const base = layerRig()
        const make = side === 'client' ? base.make : base.served
        // On a server whoever made the call ends it, once the handler has answered.
        const carryOut = (handler: Handler) => async (call: ReturnType<typeof make>) => {
          const outcome = await outcomeOf(handler, call)
          if (side === 'server') call.end(RpcError.is(outcome) ? outcome : undefined)
          return outcome
        }
        return { ...base, make, carryOut }
      }

      it(`${side}: gives on a value`, async () => {
        const { carryOut, make } = rig()
        assert.equal(await carryOut(layer()(() => 42))(make()), 42)
        assert.equal(await carryOut(layer()(async () => undefined))(make()), undefined)
      })

      it(`${side}: answers synchronously where the handler does`, () => {
        const { make } = rig()
        assert.equal(layer()(() => 'now')(make()), 'now')
      })

      it(`${side}: gives on a stream itself`, () => {
        const { make } = rig()
        const stream = (async function* () {})()
        assert.equal(layer()(() => stream)(make()), stream)
      })

      it(`${side}: gives on a failure itself`, async () => {
        const { carryOut, make } = rig()
        const error = new RpcError('not_found', 'none')
        const sync: Handler = () => {
          throw error
        }
        assert.equal(await carryOut(layer()(sync))(make()), error)
        assert.equal(await carryOut(layer()(() => Promise.reject(error)))(make()), error)
      })

      it(`${side}: leaves no timer when the call is over`, async () => {
        const { carryOut, make, clock } = rig()
        await carryOut(layer()(() => 1))(make())
        await clock.settle()
        assert.equal(clock.timers, 0)
      })
    }

    it('gives on the promise of a session, and its call ends once', async () => {
      const { session, make, peer } = layerRig()
      const call = make()
      let ends = 0
      call.onEnd(() => ends++)
      const reply = outcomeOf(layer()(session.call), call)
      peer.held[0]?.answer('far')
      assert.equal(await reply, 'far')
      assert.equal(ends, 1)
    })

    it('lets a call be cancelled', async () => {
      const { session, make, peer } = layerRig()
      const call = make()
      const reply = outcomeOf(layer()(session.call), call)
      call.cancel(new RpcError('cancelled', 'enough'))
      assert.equal(((await reply) as RpcError).code, 'cancelled')
      assert.equal(peer.held.length, 0)
      assert.ok(call.ended)
    })
  })
}
