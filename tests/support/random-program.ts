import fc from 'fast-check'

// What the programs of settle-once.test.ts are made of.

/** The names of the servers. */
export const hosts = ['a', 'b'] as const
const kinds = [
  'quick',
  'slow',
  'idempotent',
  'items',
  'endless',
  'total',
  'both',
  'large',
  'fail',
  'send',
  'everyone',
] as const
/** The kinds of calls. */
export type Kind = (typeof kinds)[number]

/** What can happen. */
export type Step =
  | {
      readonly do: 'call'
      readonly kind: Kind
      readonly timeoutMs: number | undefined
      readonly size: number
    }
  | { readonly do: 'cancel' | 'leave'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number }
  | {
      readonly do: 'cut' | 'freeze' | 'blackhole' | 'end'
      readonly which: number
      readonly bytes: number
      readonly up: boolean
    }
  | { readonly do: 'reset' | 'thaw'; readonly which: number }
  | {
      readonly do: 'network'
      readonly latencyMs: number
      readonly jitterMs: number
      readonly cut: 'never' | 'anywhere' | 'everywhere'
    }
  | { readonly do: 'partition' | 'refuse' | 'heal' | 'drain' | 'stop' | 'start'; readonly host: number }
  | { readonly do: 'close'; readonly graceMs: number }

const which = fc.nat(12)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      kind: fc.constantFrom(...kinds),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
      size: fc.nat(30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'leave' as const), which }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(150) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('cut' as const, 'freeze' as const, 'blackhole' as const, 'end' as const),
      which,
      bytes: fc.oneof(fc.nat(400), fc.nat(100_000)),
      up: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('reset' as const, 'thaw' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('network' as const),
      latencyMs: fc.nat(40),
      jitterMs: fc.nat(20),
      cut: fc.constantFrom('never' as const, 'anywhere' as const, 'anywhere' as const, 'everywhere' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'partition' as const,
        'refuse' as const,
        'heal' as const,
        'drain' as const,
        'stop' as const,
        'start' as const,
      ),
      host: fc.nat(1),
    }),
  },
)

// Most programs end without it; after it there is nothing left to go wrong.
const close: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc
      .record({ do: fc.constant('close' as const), graceMs: fc.constantFrom(0, 50) })
      .map((step) => [step]),
  },
)

/** Random programs; the same value gives the same program. */
export function program(maxLength: number): fc.Arbitrary<readonly Step[]> {
  const steps = fc.array(step, { minLength: 5, maxLength, size: 'max' })
  return fc.tuple(steps, close, fc.array(step, { maxLength: 3 })).map((parts) => parts.flat())
}
