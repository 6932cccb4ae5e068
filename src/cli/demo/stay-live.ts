import { setTimeout as sleep } from 'node:timers/promises'
import { paint } from '../output/style.ts'
import type { Cast } from './cast.ts'
import { followTable, tableOf } from './failover.ts'
import { Load } from './load.ts'
import { startServer } from './processes.ts'
import type { Stage } from './stage.ts'

const lookMs = 500
const restartAfterMs = 3_000
const plainEveryMs = 5_000

/** Goes on with a little load until Ctrl-C, and starts a server again that somebody has killed. */
export async function stayLive(cast: Cast, stage: Stage, signal: AbortSignal): Promise<void> {
  const load = new Load(cast, 4)
  const table = followTable(cast, stage)
  let toldAt = performance.now()
  try {
    while (!signal.aborted) {
      await sleep(lookMs, undefined, { signal }).catch(() => {})
      for (const { name, alive } of cast.servers.values())
        if (!alive) await bringBack(name, { cast, stage, signal })
      if (process.stdout.isTTY || performance.now() - toldAt < plainEveryMs) continue
      toldAt = performance.now()
      stage.say(`   ${load.right} calls came back right, ${load.lost} were lost`)
    }
  } finally {
    clearInterval(table)
    await load.stop()
    stage.settle(tableOf(cast).map((line) => `   ${line}`))
  }
}

async function bringBack(
  name: string,
  { cast, stage, signal }: { readonly cast: Cast; readonly stage: Stage; readonly signal: AbortSignal },
): Promise<void> {
  // Ctrl-C goes to all processes of the terminal: those that stop for that are not to be started again.
  await sleep(lookMs, undefined, { signal }).catch(() => {})
  if (signal.aborted) return
  stage.say(`   ${paint('red', 'gone')}     ${name}; the calls go on`)
  await sleep(restartAfterMs, undefined, { signal }).catch(() => {})
  if (signal.aborted) return
  cast.servers.set(name, await startServer(name, cast.target))
  stage.say(`   ${paint('green', 'back')}     ${name}`)
}
