import type { Nested } from '../harness/peer.ts'
import { use } from './packages.ts'

type Resolver = (options: { input: unknown }) => unknown

interface Procedure {
  input(parse: (value: unknown) => unknown): Procedure
  query(resolver: Resolver): unknown
  subscription(resolver: Resolver): unknown
}

interface TrpcServer {
  readonly initTRPC: {
    create(): { router(procedures: object): unknown; procedure: Procedure }
  }
}

/** The service as a tRPC router. Nothing is validated: it is measured at its best. */
export async function benchRouter(): Promise<unknown> {
  const { initTRPC } = await use<TrpcServer>('@trpc/server')
  const { router, procedure } = initTRPC.create()
  const taking = procedure.input((value) => value)
  return router({
    add: taking.query(({ input }) => {
      const { a, b } = input as { a: number; b: number }
      return a + b
    }),
    text: taking.query(({ input }) => input),
    nested: taking.query(({ input }) => input),
    count: taking.subscription(async function* ({ input }) {
      for (let i = 0; i < (input as number); i++) yield i
    }),
  })
}

interface Query<Input, Output> {
  query(input: Input): Promise<Output>
}

export interface TrpcClient {
  readonly add: Query<{ a: number; b: number }, number>
  readonly text: Query<string, string>
  readonly nested: Query<Nested, Nested>
  readonly count: {
    subscribe(
      input: number,
      listener: {
        onData(item: number): void
        onComplete(): void
        onError(error: unknown): void
      },
    ): { unsubscribe(): void }
  }
}
