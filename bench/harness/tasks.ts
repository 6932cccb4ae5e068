import type { Connection, Load, Nested, NestedItem } from './peer.ts'

/** One call to make, again and again, and whether what came back is right. */
export interface Task {
  call(n: number): PromiseLike<unknown>
  isRight(result: unknown, n: number): boolean
}

/** A value of about 1 KiB as JSON. */
export function nestedValue(): Nested {
  const item = (i: number): NestedItem => ({
    id: 100_000 + i,
    email: `user-${i}@example.org`,
    name: { first: 'Grace', last: 'Hopper' },
    address: { street: '1 Main Street', city: 'Arlington', zip: '22201' },
    roles: ['admin', 'author'],
    active: i % 2 === 0,
    balance: i * 1.25,
  })
  return { total: 5, page: 1, items: [0, 1, 2, 3, 4].map(item) }
}

/** The work of one connection; undefined if its peer cannot do it. */
export function taskOf(connection: Connection, load: Load): Task | undefined {
  const { add, text, bytes, nested } = connection
  switch (load.operation) {
    case 'add':
      return add && { call: (n) => add(n, 7), isRight: (result, n) => result === n + 7 }
    case 'text': {
      const sent = 'The quick brown fox jumps. '
        .repeat(load.payloadBytes / 27 + 1)
        .slice(0, load.payloadBytes)
      return text && { call: () => text(sent), isRight: (result) => result === sent }
    }
    case 'bytes': {
      const sent = Uint8Array.from({ length: load.payloadBytes }, (_, i) => i & 0xff)
      return bytes && { call: () => bytes(sent), isRight: (result) => isSame(result as Uint8Array, sent) }
    }
    case 'nested': {
      const sent = nestedValue()
      return nested && { call: () => nested(sent), isRight: (result) => isNested(result as Nested) }
    }
    case 'count':
      return undefined
  }
}

// Comparing all of it would cost more than carrying it.
function isSame(got: Uint8Array, sent: Uint8Array): boolean {
  const last = sent.length - 1
  const middle = sent.length >> 1
  return got.length === sent.length && got[last] === sent[last] && got[middle] === sent[middle]
}

function isNested({ total, items }: Nested): boolean {
  const last = items[4]
  return (
    total === 5 && items.length === 5 && last?.id === 100_004 && last.name.last === 'Hopper' && last.active
  )
}
