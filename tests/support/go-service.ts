import { setTimeout as sleep } from 'node:timers/promises'
import { gob } from '../../src/codecs/gob/index.ts'
import { createFarcall, method, nodeParts, RpcError, service, silentLogger } from '../../src/node.ts'
import type { Protocol } from '../../src/protocols/protocol.ts'

/** What Go's `Args` is: sent and read by the names of its fields. */
export const argsType = gob.struct('Args', { Num1: gob.int, Num2: gob.int })

interface Args {
  readonly Num1: number
  readonly Num2: number
}

/** A struct that holds itself; `Big` needs all of its 64 bits. */
const itemType: gob.GobType<unknown> = gob.struct('Item', {
  Name: gob.string,
  Tags: gob.slice(gob.string),
  Size: gob.map(gob.string, gob.int),
  Raw: gob.bytes,
  Big: gob.uint64,
  Next: gob.pointer(gob.lazy(() => itemType)),
})

const twoInts = { args: argsType, reply: gob.int }

/** The same struct with names of ours for the fields. */
export const renamedArgs = {
  args: gob.struct('Args', { first: gob.field('Num1', gob.int), second: gob.field('Num2', gob.int) }),
  reply: gob.int,
}

/** Node's timers may be early, by as much as the loop is behind; who waits exactly as long must not be overtaken. */
async function atLeast(ms: number): Promise<void> {
  const until = performance.now() + ms
  for (let left = ms; left > 0; left = until - performance.now()) await sleep(Math.ceil(left))
}

/** The service that the programs in Go have too, in TypeScript. */
export const foo = service('Foo', {
  /** Declared names spread the one argument over several. */
  Sum: method({ params: ['Num1', 'Num2'], idempotent: true }, (a: number, b: number) => a + b),
  Sleep: method({ types: twoInts }, async (args: Args) => {
    await atLeast(args.Num1 * 1000)
    return args.Num1 + args.Num2
  }),
  /** Takes what Go's `Args` is, as an object with names of ours, or by position. */
  Minus: method(
    { types: renamedArgs },
    ({ first, second }: { readonly first: number; readonly second: number }) => first - second,
  ),
  Times: method(
    { types: renamedArgs, params: ['first', 'second'] },
    (first: number, second: number) => first * second,
  ),
  Nap: method({ types: twoInts }, async (args: Args) => {
    await atLeast(args.Num1)
    return args.Num1 + args.Num2
  }),
  Fail(_args: Args): number {
    throw new RpcError('failed_precondition', 'fails on purpose: 100% of the time')
  },
  Crash(_args: Args): number {
    throw new TypeError('secret')
  },
  Upper: (text: string) => text.toUpperCase(),
  Half: method({ types: { args: gob.float, reply: gob.float } }, (number: number) => number / 2),
  Wrap: method({ types: { args: itemType, reply: itemType } }, (item: Readonly<Record<string, unknown>>) => ({
    ...item,
    Name: `around ${String(item['Name'])}`,
    Next: item,
  })),
})

/** What a client must know of the service in Go. */
export const fooContract = {
  Sum: { params: ['Num1', 'Num2'], types: twoInts },
  Half: { types: { args: gob.float, reply: gob.float } },
}

/** The types that a client sees. */
export interface FooClient {
  Sum(...args: [a: number, b: number] | [args: Args]): number
  Sleep(args: Args): number
  Nap(args: Args): number
  Fail(args: Args): number
  Upper(text: string): string
  Half(number: number): number
  Wrap(item: unknown): { Name: string; Next: unknown }
  Missing(args: Args): number
}

/** Farcall with more protocols beside its own, on the one port. */
export function farcallWith(...protocols: Protocol[]) {
  return createFarcall({
    ...nodeParts,
    logger: silentLogger,
    protocols: [
      ...nodeParts.protocols.filter(({ name }) => protocols.every((p) => p.name !== name)),
      ...protocols,
    ],
  })
}
