import { RpcError } from '../../node.ts'
import { paint } from '../output/style.ts'
import { showBriefly } from '../output/value.ts'
import type { Cast } from './cast.ts'
import type { bank, math, text, work } from './services.ts'
import { ms, type Stage } from './stage.ts'

/** Each kind of call once, its result, how long it took and who answered. */
export async function tour({ client, tally }: Cast, stage: Stage): Promise<void> {
  stage.chapter('Calls, as if the functions were here')
  const m = client.service<typeof math>('math')
  const t = client.service<typeof text>('text')
  const b = client.service<typeof bank>('bank')
  const w = client.service<typeof work>('work')

  const show = async (shown: string, call: () => PromiseLike<unknown>, wanted: unknown, note?: string) => {
    const startedAt = performance.now()
    const actual = await outcome(call)
    const took = performance.now() - startedAt
    const right = stage.check(shown, actual, wanted)
    const result = right ? showBriefly(note ?? actual, 28) : paint('red', showBriefly(actual, 28))
    stage.say(
      `   ${shown.padEnd(33)} ${result.padEnd(right ? 28 : 37)} ${paint('dim', `${ms(took).padStart(7)} ${tally.last}`)}`,
    )
  }

  await show('math.add(1, 2)', () => m.add(1, 2), 13)
  await show('math.add(1, 2, 3)', () => m.add(1, 2, 3), 6)
  await show('math.divide(1, 8)', () => m.divide(1, 8), 0.125)
  await show('math.divide(1, 0)', () => m.divide(1, 0), 'invalid_argument')
  await show('math.isPrime(104729)', () => m.isPrime(104_729), true)
  await show('math.factorial(25)', () => m.factorial(25), 15_511_210_043_330_985_984_000_000n)
  await show('text.pad, arguments by name', () => t.$named.pad({ width: 5, text: '7', fill: '0' }), '00007')
  await show(
    "text.words('to be or not to be')",
    () => t.words('to be or not to be'),
    wordCount,
    'to 2, be 2, or 1, not 1',
  )
  await show("bank.withdraw('ada', 30)", () => b.withdraw('ada', 30), 70)
  await show("bank.withdraw('ada', -1)", () => b.withdraw('ada', -1), 'invalid_argument')
  await show("bank.withdraw('bob', 50)", () => b.withdraw('bob', 50), 'insufficient_funds')
  await show('work.fail()', () => w.fail(), 'internal')
}

const wordCount = new Map([
  ['to', 2],
  ['be', 2],
  ['or', 1],
  ['not', 1],
])

/** What a call came to: its value, or the reason or code of its error. */
async function outcome(call: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    return await call()
  } catch (thrown) {
    const error = RpcError.from(thrown)
    return error.reason ?? error.code
  }
}
