import type { BroadcastResult } from '../../node.ts'
import { toJson } from '../output/json.ts'
import { printLine } from '../output/print.ts'
import { harmless, paint } from '../output/style.ts'
import { showValue } from '../output/value.ts'

/** Prints what a call gave: a value, or each item of a stream as it arrives. Rejects as the stream does. */
export async function printReply(reply: unknown, json: boolean): Promise<void> {
  if (isStream(reply)) {
    for await (const item of reply) await printLine(json ? toJson(item) : showValue(item))
  } else if (json) {
    await printLine(toJson(reply))
  } else if (reply !== undefined) {
    await printLine(showValue(reply))
  } else if (process.stdout.isTTY) {
    console.error(paint('dim', '(no value)', process.stderr))
  }
}

/** Prints what every instance answered. @returns whether all of them succeeded. */
export async function printBroadcast(
  results: readonly BroadcastResult<unknown>[],
  json: boolean,
): Promise<boolean> {
  if (json) {
    const plain = results.map(({ endpoint, value, error }) =>
      error === undefined ? { endpoint, value } : { endpoint, error: error.toJSON() },
    )
    await printLine(toJson(plain))
  }
  const wide = Math.max(...results.map(({ endpoint }) => endpoint.length))
  for (const { endpoint, value, error } of json ? [] : results) {
    const told =
      error === undefined ? showValue(value) : paint('red', harmless(`${error.code}: ${error.message}`))
    await printLine(`${paint('dim', endpoint.padEnd(wide))}  ${told}`)
  }
  return results.every(({ error }) => error === undefined)
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
