import assert from 'node:assert/strict'
import { type Client, connect, type FarcallClient } from 'farcall'
import type { Victim } from '../processes/victim.ts'
import { framePeer } from './frame-peer.ts'
import { startProgram, type TestProcess } from './process.ts'

const soonMs = 1_000

/** A victim in a process of its own, and a client of it that means no harm. */
export interface Scene {
  readonly victim: TestProcess
  readonly target: string
  readonly client: FarcallClient
  readonly v: Client<Victim>
  /** What it holds when nobody attacks. */
  readonly heldMiB: number
}

/** Starts a victim, a server or a registry. */
export async function setScene(what: 'server' | 'registry'): Promise<Scene> {
  const victim = startProgram('processes/victim.ts', [what], { NODE_OPTIONS: '--expose-gc' })
  const target = (await victim.line(/ready (\S+)/))[1] as string
  const client = connect(target)
  const v = client.service<Victim>('victim')
  // Once each way, so that what is made on first use is there.
  await v.echo({ a: [1, 'x'] })
  for await (const _ of v.flood()) break
  return { victim, target, client, v, heldMiB: (await v.state()).heldMiB }
}

/** Ends it. */
export async function strike(scene: Scene): Promise<void> {
  await scene.client.close()
  await scene.victim.stop('SIGKILL')
}

/** Rejects where something takes longer than it should. */
export async function soon<T>(promise: Promise<T>, what: string, ms = soonMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The bystander is served at once, while an attack is on and afterwards. */
export async function bystander({ v }: Scene): Promise<void> {
  assert.equal(await soon(v.echo('bystander'), 'the bystander'), 'bystander')
}

/** It holds no more than so much above what it held before. Gives what it says of itself. */
export async function holdsAtMost(scene: Scene, moreMiB: number) {
  let state = await scene.v.state()
  // What a collection has found unused is given back in the background: a look may come before that.
  for (let looks = 0; looks < 20 && state.heldMiB >= scene.heldMiB + moreMiB; looks++)
    state = await scene.v.state()
  assert.ok(state.heldMiB < scene.heldMiB + moreMiB, `${state.heldMiB} MiB are held`)
  return state
}

/** Nothing is left of an attack. */
export async function unharmed(scene: Scene, allowedMiB = 8): Promise<void> {
  await bystander(scene)
  const startedAt = performance.now()
  let state = await scene.v.state()
  while (state.connections > 0 || state.inFlight > 0 || state.heldMiB > scene.heldMiB + allowedMiB) {
    assert.ok(
      performance.now() - startedAt < 3_000,
      `after the attack: ${JSON.stringify({ ...state, before: scene.heldMiB })}`,
    )
    state = await scene.v.state()
  }
  assert.equal(state.unhandled, 0)
  assert.equal(state.isPrototypeUnchanged, true)
}

/** Sends, and gives the answer to call 1, or how the connection was closed. */
export async function attack(scene: Scene, ...parts: readonly (Buffer | string)[]): Promise<string> {
  await using peer = await framePeer(scene.target)
  peer.send(...parts)
  return await soon(peer.answer(1), `an answer to ${parts.length} parts`)
}
