import { RpcError } from '../../node.ts'
import { paint } from '../output/style.ts'
import type { Cast } from './cast.ts'
import type { math, text, work } from './services.ts'
import { ms, type Stage } from './stage.ts'

const calls = 40
const napMs = 20

/** The same calls one after the other, and all at once. */
export async function together({ client }: Cast, stage: Stage): Promise<void> {
  stage.chapter(`${calls} calls that take ${napMs} ms each`)
  const w = client.service<typeof work>('work')
  const wanted = Array.from({ length: calls }, () => napMs)
  const oneAfterAnother = await timed(async () => {
    const results: number[] = []
    for (let i = 0; i < calls; i++) results.push(await w.nap(napMs))
    return results
  })
  const atOnce = await timed(() => Promise.all(wanted.map((time) => w.nap(time))))
  stage.check('the calls one after the other', oneAfterAnother.value, wanted)
  stage.check('the calls all at once', atOnce.value, wanted)
  stage.say(`   one after the other  ${ms(oneAfterAnother.tookMs).padStart(8)}`)
  const factor = (oneAfterAnother.tookMs / atOnce.tookMs).toFixed(0)
  stage.say(
    `   all at once          ${ms(atOnce.tookMs).padStart(8)}  ${paint('dim', `${factor} times as fast`)}`,
  )
}

/** One call to everybody, then one with a limit that some miss. */
export async function everyone({ client, servers }: Cast, stage: Stage): Promise<void> {
  stage.chapter('A broadcast: everybody answers')
  const w = client.service<typeof work>('work')
  const answers = await w.$broadcast().about()
  for (const { endpoint, value, error } of answers) {
    const name = [...servers.values()].find(({ target }) => target === endpoint)?.name ?? '?'
    stage.say(
      `   ${name.padEnd(8)} ${error === undefined ? `pid ${value.pid}` : paint('red', error.message)}`,
    )
  }
  const pids = answers.map(({ value }) => value?.pid ?? 0)
  stage.check('the broadcast', new Set(pids), new Set([...servers.values()].map(({ pid }) => pid)))

  stage.chapter('A limit of 150 ms: who is late is given up, here and on the server')
  const naps = [10, 50, 100, 400, 800]
  const limited = w.$with({ timeoutMs: 150 })
  const results = await Promise.all(naps.map((time) => limited.nap(time).then(String, codeOf)))
  for (const [i, time] of naps.entries()) {
    const result = results[i] ?? ''
    stage.say(
      `   work.nap(${time})`.padEnd(20) + (result === String(time) ? 'in time' : paint('yellow', result)),
    )
  }
  stage.check('the calls with a limit', results, [
    '10',
    '50',
    '100',
    'deadline_exceeded',
    'deadline_exceeded',
  ])
}

/** Streams: from the server, to the server, both. */
export async function streams({ client }: Cast, stage: Stage): Promise<void> {
  stage.chapter('Streams, both ways')
  const m = client.service<typeof math>('math')
  const primes: number[] = []
  for await (const prime of m.primes(1_000_000)) {
    primes.push(prime)
    // Leaving the loop ends the generator on the server.
    if (primes.length === 10) break
  }
  stage.say(`   for await (… of math.primes(1000000))   ${primes.join(' ')} … and left`)
  stage.check('math.primes', primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29])

  const count = 10_000
  const { value: total, tookMs } = await timed(() => m.total(upTo(count)))
  stage.say(`   math.total(1 … ${count})`.padEnd(43) + `${total}  ${paint('dim', ms(tookMs))}`)
  stage.check('math.total', total, (count * (count + 1)) / 2)

  const t = client.service<typeof text>('text')
  const shouted: string[] = []
  for await (const line of t.shout(words())) shouted.push(line)
  stage.say(`   text.shout(to, be)`.padEnd(43) + shouted.join(' '))
  stage.check('text.shout', shouted, ['TO!', 'BE!'])
}

async function* upTo(count: number) {
  for (let n = 1; n <= count; n++) yield n
}

async function* words() {
  yield 'to'
  yield 'be'
}

async function timed<T>(run: () => Promise<T>): Promise<{ value: T; tookMs: number }> {
  const startedAt = performance.now()
  const value = await run()
  return { value, tookMs: performance.now() - startedAt }
}

function codeOf(thrown: unknown): string {
  return RpcError.from(thrown).code
}
