import { GobDecoder, gob } from './index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const check = <_T extends true>(): void => {}

const Args = gob.struct('Args', { Num1: gob.int, Num2: gob.int })
type Args = gob.Infer<typeof Args>
check<Equal<Args, { Num1: number; Num2: number }>>()

const Shape = gob.interface({ 'main.Args': Args, int: gob.int64 })
const Rich = gob.struct('Rich', {
  id: gob.field('ID', gob.uint64),
  Names: gob.slice(gob.string),
  Pair: gob.array(2, gob.float),
  Table: gob.map(gob.string, Args),
  Raw: gob.bytes,
  When: gob.time,
  Flag: gob.bool,
  Parent: gob.pointer(Args),
  Shape,
})
check<
  Equal<
    gob.Infer<typeof Rich>,
    {
      id: number | bigint
      Names: string[]
      Pair: number[]
      Table: Map<string, Args>
      Raw: Uint8Array
      When: Date
      Flag: boolean
      Parent?: Args | null
      Shape?:
        | { readonly name: 'main.Args'; readonly value: Args }
        | { readonly name: 'int'; readonly value: number | bigint }
        | null
    }
  >
>()

interface Node {
  Value: number
  Next?: Node | null
}
const Node: gob.GobType<Node> = gob.struct('Node', {
  Value: gob.int,
  Next: gob.pointer(gob.lazy(() => Node)),
})
check<Equal<gob.Infer<typeof Node>, Node>>()

const args = new GobDecoder().decodeNext(Args)
check<Equal<typeof args, Args | undefined>>()
const unknown = new GobDecoder().decodeNext()
check<Equal<typeof unknown, unknown>>()

gob.encode({ Num1: 1, Num2: 2 }, Args)
// @ts-expect-error a string is no int
gob.encode({ Num1: 'a', Num2: 2 }, Args)
// @ts-expect-error a field is missing
gob.encode({ Num1: 1 }, Args)
// @ts-expect-error the interface does not know this type
gob.encode({ name: 'main.Other', value: 1 }, Shape)
