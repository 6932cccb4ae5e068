// How many gob values a second are encoded and decoded: node --conditions=@farcall/source bench/special/gob.ts [window in ms]
import { gob, GobDecoder, GobEncoder } from '../../src/codecs/gob/index.ts'
import { MemoryOutput } from '../../src/core/bytes/output.ts'

const Header = gob.struct('Header', { ServiceMethod: gob.string, Seq: gob.uint, Error: gob.string })
const Args = gob.struct('Args', { Num1: gob.int, Num2: gob.int })
const Person = gob.struct('Person', {
  Id: gob.int64,
  Email: gob.string,
  Roles: gob.slice(gob.string),
  Scores: gob.map(gob.string, gob.float),
  Home: gob.pointer(gob.struct('Address', { Street: gob.string, City: gob.string })),
})
const person = {
  Id: 1_700_000_000_000_000_000n,
  Email: 'grace@example.org',
  Roles: ['admin', 'author'],
  Scores: new Map([['a', 0.5]]),
  Home: { Street: '1 Main Street', City: 'Arlington' },
}
const rows: readonly (readonly [string, unknown, gob.GobType | undefined])[] = [
  ['header', { ServiceMethod: 'Foo.Sum', Seq: 4711, Error: '' }, Header],
  ['two ints', { Num1: 12, Num2: 3456 }, Args],
  ['two ints, no type', { Num1: 12, Num2: 3456 }, undefined],
  ['person', person, Person],
  ['100 people', Array.from({ length: 100 }, () => person), gob.slice(Person)],
  ['1,000 ints', Array.from({ length: 1000 }, (_, i) => i * 37), gob.slice(gob.int)],
  ['bytes 16 KiB', new Uint8Array(16_384).fill(7), gob.bytes],
]

const windowMs = Number(process.argv[2] ?? 150)

/** The best of some windows, in runs a second: the others were disturbed. */
function rate(run: () => unknown): number {
  let best = 0
  for (let window = 0; window < 5; window++) {
    let runs = 0
    const start = performance.now()
    let elapsed = 0
    do {
      for (let i = 0; i < 64; i++) run()
      runs += 64
      elapsed = performance.now() - start
    } while (elapsed < windowMs)
    best = Math.max(best, (runs / elapsed) * 1000)
  }
  return best
}

const shown = (perSecond: number): string =>
  perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)}M` : `${(perSecond / 1e3).toFixed(1)}k`

console.log(`gob: encode / decode a second (bytes), Node ${process.version}`)
for (const [name, value, type] of rows) {
  const encoder = new GobEncoder()
  const decoder = new GobDecoder()
  const output = new MemoryOutput(64 * 1024)
  encoder.encode(value, output, type)
  decoder.push(output.take())
  decoder.decodeNext(type)
  // From here on the types are known to the peer, as on a connection that is in use.
  encoder.encode(value, output, type)
  const message = output.take()
  const encode = rate(() => {
    output.at = 0
    encoder.encode(value, output, type)
  })
  const decode = rate(() => {
    decoder.push(message)
    decoder.decodeNext(type)
  })
  console.log(`${name.padEnd(18)} ${shown(encode)} / ${shown(decode)} (${message.length})`)
}
