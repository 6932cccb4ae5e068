// How many values a second each codec encodes and decodes: node --conditions=@farcall/source bench/special/codecs.ts
import { jsonCodec } from '../../src/codecs/json/json.ts'
import { msgpackCodec } from '../../src/codecs/msgpack/msgpack.ts'
import { MemoryOutput } from '../../src/core/bytes/output.ts'
import type { Codec } from '../../src/core/codec.ts'
import { defaultLimits } from '../../src/core/limits.ts'

const small = { id: 4711, name: 'a name', tags: ['x', 'y'], active: true, score: 3.14 }
const person = (i: number) => ({
  id: 100_000 + i,
  email: `user-${i}@example.org`,
  name: { first: 'Grace', last: 'Hopper' },
  address: { street: '1 Main Street', city: 'Arlington', zip: '22201', country: 'US' },
  roles: ['admin', 'author'],
  active: i % 2 === 0,
  balance: i * 1.25,
})
const values: Readonly<Record<string, unknown>> = {
  'two ints': [1, 2],
  small,
  'nested 1 KiB': { total: 4, page: 1, next: null, items: [0, 1, 2, 3, 4].map(person) },
  'list of 100': Array.from({ length: 100 }, (_, i) => ({ ...small, id: i, score: i / 3 })),
  'string 16 KiB': 'x'.repeat(16_384),
  'bytes 16 KiB': new Uint8Array(16_384).fill(7),
}

interface Subject {
  encode(value: unknown): number
  decode(): unknown
}

function subjectOf(codec: Codec): Subject {
  const session = codec.open(defaultLimits)
  const peer = codec.open(defaultLimits)
  const output = new MemoryOutput(64 * 1024)
  return {
    encode(value) {
      output.at = 0
      session.encode(value, output)
      const definitions = session.takeDefinitions?.()
      if (definitions !== undefined) peer.define?.(definitions, 0, definitions.length)
      return output.at
    },
    decode: () => peer.decode(output.bytes, 0, output.at),
  }
}

function platformSubject(): Subject {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  let bytes = new Uint8Array(0)
  return {
    encode(value) {
      bytes = encoder.encode(JSON.stringify(value))
      return bytes.length
    },
    decode: () => JSON.parse(decoder.decode(bytes)),
  }
}

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

function shown(perSecond: number): string {
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)}M` : `${(perSecond / 1e3).toFixed(1)}k`
}

const subjects = { msgpack: subjectOf(msgpackCodec), json: subjectOf(jsonCodec), platform: platformSubject() }
console.log(`encode / decode a second (bytes), Node ${process.version}; platform is JSON and TextEncoder`)
for (const [name, value] of Object.entries(values)) {
  const cells = Object.entries(subjects).map(([subject, { encode, decode }]) => {
    encode(value)
    encode(value)
    const size = encode(value)
    return `${subject} ${shown(rate(() => encode(value)))} / ${shown(rate(decode))} (${size})`.padEnd(36)
  })
  console.log(name.padEnd(14), cells.join(' '))
}
