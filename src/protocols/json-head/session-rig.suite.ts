import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Call, type CallInit } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { type Limits, resolveLimits } from '../../core/limits.ts'
import { seededRandom } from '../../core/random.ts'
import { type ScriptedPeer, scriptedPeer } from '../../testing/scripted-peer.ts'
import { createVirtualClock, type VirtualClock } from '../../testing/virtual-clock.ts'
import { createMemoryTransport } from '../../transports/memory.ts'
import type { ClientSession, Protocol, Room, Session } from '../protocol.ts'

/** A room for sessions; what they report is collected. */
export function testRoom(clock: VirtualClock, limits: Partial<Limits> = {}, reports: string[] = []): Room {
  return {
    clock,
    random: seededRandom(1),
    limits: resolveLimits(limits),
    codecs: [],
    info: () => undefined,
    learn() {},
    report: (what) => reports.push(what.message),
  }
}

/** A server's session and, as its peer, a script. */
export async function serveScript(protocol: Protocol, handler: Handler, limits: Partial<Limits> = {}) {
  const clock = createVirtualClock()
  const transport = createMemoryTransport()
  const reports: string[] = []
  let session: Session | undefined
  await transport.listen({ transport: 'memory', name: 's' }, (wire) => {
    session = protocol.accept(wire, handler, testRoom(clock, limits, reports))
  })
  const peer = scriptedPeer(
    await transport.dial({ transport: 'memory', name: 's' }, new AbortController().signal),
  )
  assert.ok(session !== undefined)
  let seen = 0
  return {
    clock,
    peer,
    reports,
    session,
    /** Sends, and gives back what has been answered by the time that nothing moves any more. */
    async ask(bytes: string | Uint8Array): Promise<string> {
      if (bytes.length > 0) peer.send(bytes)
      await clock.settle()
      const fresh = peer.received - seen
      seen = peer.received
      return new TextDecoder().decode(await peer.read(fresh))
    },
    /** All that has come when the server has ended. */
    rest: async () => new TextDecoder().decode(await peer.readToEnd()),
  }
}

export interface DialRig {
  readonly clock: VirtualClock
  readonly client: ClientSession
  readonly reports: string[]
  /** The server's end. */
  readonly peer: ScriptedPeer
  /** Makes a call; what it comes to, errors as values. */
  start(
    method: string,
    list: readonly unknown[],
    patch?: Partial<CallInit>,
  ): { call: Call; reply: Promise<unknown> }
  /** What the client has sent since it was last asked. */
  sent(): Promise<string>
  close(): Promise<void>
}

/** A client's session and, as its peer, a script. */
export async function dialScript(protocol: Protocol, limits: Partial<Limits> = {}): Promise<DialRig> {
  const clock = createVirtualClock()
  const transport = createMemoryTransport()
  const reports: string[] = []
  const { promise, resolve } = Promise.withResolvers<ScriptedPeer>()
  await transport.listen({ transport: 'memory', name: 's' }, (wire) => resolve(scriptedPeer(wire)))
  const wire = await transport.dial({ transport: 'memory', name: 's' }, new AbortController().signal)
  const client = protocol.dial(wire, testRoom(clock, limits, reports))
  const peer = await promise
  let seen = 0
  return {
    clock,
    client,
    reports,
    peer,
    start(method, list, patch = {}) {
      const call = new Call({ clock, service: '', method, args: { list }, deadline: 10_000, ...patch })
      call.watchDeadline()
      const reply = (async () => client.call(call))().catch((error: unknown) => error)
      return { call, reply }
    },
    async sent() {
      await clock.settle()
      const fresh = peer.received - seen
      seen = peer.received
      return new TextDecoder().decode(await peer.read(fresh))
    },
    async close() {
      const closed = client.close()
      await clock.advance(2000)
      await closed
      assert.equal(clock.timers, 0)
    },
  }
}

/** Asserts that a value is an RpcError with this code and message. */
export function assertRpcError(value: unknown, code: string, message: RegExp): asserts value is RpcError {
  assert.ok(RpcError.is(value), `an RpcError, not ${String(value)}`)
  assert.equal(value.code, code, value.message)
  assert.match(value.message, message)
}

/** The bytes that a real peer sent, from the folder `fixtures` beside the test. */
export function readFixture(folder: string, name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, 'fixtures', name)))
}

/** Cuts bytes at these places, wherever they fall. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)).filter(({ length }) => length > 0)
}
