import { Call, type CallInit } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import { defaultLimits } from '../core/limits.ts'
import type { ClientSession, Room } from '../protocols/protocol.ts'
import { createFakeProtocol, type FakePeer } from './fake-protocol.ts'
import { stubWire } from './stub-wire.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

/** A fake session to put layers around, in virtual time. */
export interface LayerRig {
  readonly clock: VirtualClock
  readonly peer: FakePeer
  readonly session: ClientSession
  /** A call that is made on a client: its deadline, 10 s unless patched, is watched. */
  make(patch?: Partial<CallInit>): Call
  /** A call that is being served: whoever made it ends it, and layers must not. */
  served(patch?: Partial<CallInit>): Call
}

/** Makes one. */
export function layerRig(): LayerRig {
  const clock = createVirtualClock(10_000)
  const { protocol, peer } = createFakeProtocol()
  const nothing = () => undefined
  const room: Room = {
    clock,
    random: () => 0.5,
    limits: defaultLimits,
    codecs: [],
    info: nothing,
    learn: nothing,
    report: nothing,
  }
  const make = (patch: Partial<CallInit> = {}) => {
    const call = new Call({
      clock,
      service: 's',
      method: 'm',
      args: { list: [] },
      deadline: clock.now() + 10_000,
      ...patch,
    })
    call.watchDeadline()
    return call
  }
  return {
    clock,
    peer,
    session: protocol.dial(stubWire(), room),
    make,
    served: (patch) => make({ phase: 'handle', ...patch }),
  }
}

/** What a call comes to through a handler, with errors as values: it never rejects. */
export async function outcomeOf(handler: Handler, call: Call): Promise<unknown> {
  try {
    return await handler(call)
  } catch (thrown) {
    return RpcError.from(thrown)
  }
}
