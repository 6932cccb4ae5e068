import { paint } from '../output/style.ts'
import { formatTable } from '../output/table.ts'
import type { Cast } from './cast.ts'
import { Load } from './load.ts'
import { startServer } from './processes.ts'
import { ms, type Stage } from './stage.ts'
import { percentile } from './tally.ts'

const victim = 'birch'
const refreshMs = 100

/** One of three servers is killed in the midst of it all, and comes back. */
export async function failover(cast: Cast, stage: Stage, signal: AbortSignal): Promise<void> {
  stage.chapter(`Under load, ${victim} is killed (SIGKILL) and comes back`)
  const { tally, servers, target } = cast
  const load = new Load(cast, 24)
  const table = followTable(cast, stage)
  try {
    await reached(load.more(1_500), signal)
    const lostBefore = tally.of(victim).lost
    const child = servers.get(victim)
    await child?.kill()
    stage.say(`   ${paint('red', 'killed')}   ${victim}, pid ${child?.pid ?? 0}; the calls go on`)
    const { right } = load
    await reached(load.more(2_500), signal)
    stage.say(`   ${paint('green', 'went on')}  ${load.right - right} calls without it`)
    servers.set(victim, await startServer(victim, target))
    const callsBefore = tally.of(victim).calls
    await reached(
      load.until(() => tally.of(victim).calls >= callsBefore + 100),
      signal,
    )
    stage.say(
      `   ${paint('green', 'back')}     ${victim}, pid ${servers.get(victim)?.pid ?? 0}, found through the registry`,
    )
    await reached(load.more(1_000), signal)
    await load.stop()
    const lost = tally.of(victim).lost - lostBefore
    tell(load, lost, stage)
    stage.underLoad += load.right
    stage.wrong.push(...load.wrong.slice(0, 5))
    stage.check('lost calls of servers that were not killed', lostElsewhere(cast), 0)
  } finally {
    await load.stop()
    clearInterval(table)
    stage.settle(tableOf(cast).map((line) => `   ${line}`))
  }
}

function tell(load: Load, lost: number, stage: Stage): void {
  stage.say(`   ${load.right} calls came back right. In flight on ${victim} when it was killed: ${lost}.`)
  const repeated = lost - load.lost
  stage.say(`   ${repeated} of these were safe to repeat, and another server answered them.`)
  stage.say(`   ${load.lost} were not safe to repeat: the caller was told, nothing was done twice.`)
}

function lostElsewhere({ servers, tally }: Cast): number {
  return [...servers.keys()]
    .filter((name) => name !== victim)
    .reduce((sum, name) => sum + tally.of(name).lost, 0)
}

/** Keeps the live table up to date until the interval is cleared. */
export function followTable(cast: Cast, stage: Stage): NodeJS.Timeout {
  const draw = () => stage.live(tableOf(cast).map((line) => `   ${line}`))
  draw()
  return setInterval(draw, refreshMs)
}

/** Each server, as the client sees it. */
export function tableOf({ servers, tally }: Cast): string[] {
  const rows = [...servers.values()].map(({ name, pid, alive }) => {
    const { calls, lost, inFlight, recent } = tally.of(name)
    const state = alive ? paint('green', 'up') : paint('red', 'dead')
    const times = [percentile(recent, 0.5), percentile(recent, 0.99)].map((time) => ms(time))
    return [name, String(pid), state, String(calls), String(inFlight), String(lost), ...times]
  })
  const headings = ['SERVER', 'PID', 'STATE', 'CALLS', 'IN FLIGHT', 'LOST', 'MEDIAN', '99 %']
  return formatTable(headings, rows).split('\n')
}

const patienceMs = 15_000

/** Waits, but neither for ever nor beyond Ctrl-C. */
async function reached(what: Promise<void>, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(patienceMs)
  const either = AbortSignal.any([signal, late])
  await new Promise<void>((resolve, reject) => {
    const stop = () =>
      reject(late.aborted ? new Error(`the calls came to a stop for ${patienceMs / 1000} s`) : signal.reason)
    either.addEventListener('abort', stop, { once: true })
    what.then(resolve, reject).finally(() => either.removeEventListener('abort', stop))
  })
}
