import assert from 'node:assert/strict'
import { goodCall, type HostileBytes, type Known } from './hostile-bytes.ts'
import { rawPeer } from './raw-peer.ts'

/** Sends what a hostile peer sends, and checks that it hears what it should. */
export async function attack(target: string, hostile: HostileBytes, known: Known): Promise<void> {
  using peer = await rawPeer(target)
  await peer.send(hostile.bytes)
  if (hostile.ends === true) peer.socket.end()
  const { kind, code, message } = hostile.hears
  const heard = await peer.hears({ kind })
  if (code !== undefined) assert.equal(heard.code, code, `${heard.code}: ${heard.message}`)
  if (message !== undefined) assert.match(heard.message ?? '', message)
  if (hostile.goesOn === true) {
    await peer.send(goodCall(2, known))
    await peer.hears({ kind: 'reply', id: 2 })
  } else if (kind !== 'error') await peer.hears({ kind: 'gone' })
}
