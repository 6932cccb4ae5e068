import { extname } from 'node:path'
import { exitCodes } from '../exit-codes.ts'
import { interruptible } from '../interrupt.ts'
import { paint } from '../output/style.ts'
import { whileOpen } from '../while-open.ts'
import { assemble, type Cast } from './cast.ts'
import { failover } from './failover.ts'
import { everyone, streams, together } from './kinds.ts'
import { stayLive } from './stay-live.ts'
import { ms, Stage } from './stage.ts'
import { tour } from './tour.ts'

/**
 * Runs the demo. With `once` it ends by itself; else it goes on until Ctrl-C. The exit code is 0 only if every call was
 * right.
 */
export async function runDemo({ once }: { readonly once: boolean }): Promise<number> {
  const stage = new Stage()
  return await whileOpen(interruptible(), async (interrupt) => {
    try {
      stage.say(
        `${paint('bold', 'Farcall')}  a registry, three servers and a client, each a process of its own`,
      )
      return await whileOpen(await assemble(), (cast) =>
        play(cast, stage, { once, signal: interrupt.signal }),
      )
    } catch (thrown) {
      if (interrupt.code === undefined) throw thrown
      stage.settle([])
      return interrupt.code
    }
  })
}

async function play(
  cast: Cast,
  stage: Stage,
  { once, signal }: { readonly once: boolean; readonly signal: AbortSignal },
): Promise<number> {
  introduce(cast, stage)
  for (const part of [tour, together, everyone, streams, failover]) {
    await part(cast, stage, signal)
    signal.throwIfAborted()
  }
  const code = verdict(stage)
  farewell(cast, stage, once)
  if (!once && code === exitCodes.ok) await stayLive(cast, stage, signal)
  return code
}

function introduce({ registry, servers, foundMs }: Cast, stage: Stage): void {
  stage.say('')
  for (const { name, target, pid } of [registry, ...servers.values()]) {
    stage.say(`   ${name.padEnd(10)} ${target.padEnd(24)} ${paint('dim', `pid ${pid}`)}`)
  }
  stage.say(`   ${'client'.padEnd(10)} knows only the registry; it had found all three in ${ms(foundMs)}`)
}

function verdict(stage: Stage): number {
  stage.say('')
  if (stage.wrong.length === 0) {
    const count = `${stage.checked} results and ${stage.underLoad} calls under load`
    stage.say(`${paint('green', 'All right.')} ${count} were compared with what they should be.`)
    return exitCodes.ok
  }
  stage.say(paint('red', `${stage.wrong.length} wrong:`))
  for (const what of stage.wrong) stage.say(`   ${what}`)
  return exitCodes.failed
}

function farewell({ target, servers }: Cast, stage: Stage, once: boolean): void {
  const fromSource = extname(import.meta.url) === '.ts'
  const farcall = fromSource ? 'npm run -s farcall --' : 'farcall'
  stage.say('')
  if (once) {
    stage.say('Type next:')
    const again = fromSource ? 'npm start' : 'farcall demo'
    stage.say(`   ${again.padEnd(28)}  the same, and it stays to be played with`)
    stage.say(`   ${`${farcall} --help`.padEnd(28)}  registry, serve, call and the rest`)
    if (fromSource) stage.say('   examples/README.md            the functions, and how to serve your own')
    return
  }
  stage.say('It goes on until Ctrl-C. Type in another terminal:')
  stage.say(`   ${farcall} list --registry ${target}`)
  stage.say(`   ${farcall} call math.add 1 2 --registry ${target}`)
  stage.say(`   ${farcall} watch math --registry ${target}`)
  stage.say(`   kill -9 ${servers.get('amber')?.pid ?? ''}   and look: it is started again`)
  stage.say('')
}
