// What a connection speaks must not depend on the order in which detectors are asked: for any beginning at most one
// says yes, and then no other says more. Every protocol and unwrap in a folder here takes part by itself; what its clients begin
// with is read from its fixtures (`*.client.bin`), and more can be added below.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { detectAmong, maxHeadBytes } from '../core/detect.ts'
import type { Unwrap } from '../transports/unwrap.ts'
import type { Protocol } from './protocol.ts'

type Candidate = Protocol | Unwrap

const here = import.meta.dirname
const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory())
// A folder may show again what another has, for its users' convenience: each name counts once.
const everything = (await Promise.all(folders.map(({ name }) => candidatesOf(name)))).flat()
const candidates = [...new Map(everything.map((candidate) => [candidate.name, candidate])).values()]
const detecting = candidates.filter(({ detect }) => detect !== undefined)

/** Beginnings that no fixture holds, and who should say yes; undefined for nobody. */
const more: [head: string | Uint8Array, protocol: string | undefined][] = [
  ['\u0000FARCALL', 'farcall'],
  ['{"method_name": "add", "method_args": [1, 2], "method_kwargs": {}}', 'lab-json'],
  [' \r\n {"method_kwargs": {"method": 1}, "method_name": "f"}', 'lab-json'],
  ['{"jsonrpc":"2.0","id":1,"method":"add","params":[1]}\n', 'json-rpc'],
  ['[{"jsonrpc":"2.0","method":"add"}]', 'json-rpc'],
  ['{"method":"Arith.Multiply","params":[{}],"id":0}\n', 'json-rpc'],
  ['{"method":"x","method_name":"y","MagicNumber":1}', 'json-rpc'],
  ['{"method_name":"y","MagicNumber":1,"method":"x"}', 'lab-json'],
  ['{"MagicNumber":3927900,"method":"x"}', 'geerpc'],
  ['{"MagicNumber":3927900,"CodecType":"application/gob","ConnectTimeout":0,"HandleTimeout":0}\n', 'geerpc'],
  ['CONNECT /_goRPC_ HTTP/1.0\n\n', 'connect'],
  ['CONNECT /_geeprc_ HTTP/1.0\r\n\r\n', 'connect'],
  ['CONNECT example.org:443 HTTP/1.1\r\n\r\n', undefined],
  ['GET /_goRPC_ HTTP/1.0\n\n', 'http'],
  ['GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 'http'],
  ['POST /math/add HTTP/1.1\r\nHost: x\r\n\r\n{"method":1}', 'http'],
  ['{"a":1}', undefined],
  ['[]', undefined],
  ['\u007f\u0000\u0001\u0002', undefined],
]

/** What a folder's face holds: protocols and unwraps, and those that `create…` makes without being told anything. */
async function candidatesOf(folder: string): Promise<Candidate[]> {
  const index = join(here, folder, 'index.ts')
  if (!existsSync(index)) return []
  const face = Object.entries((await import(index)) as Record<string, unknown>)
  const found = new Map<string, Candidate>()
  for (const [name, value] of face) {
    const isFactory = typeof value === 'function' && /^create\w*(Protocol|Unwrap)$/.test(name)
    const candidate: unknown = isFactory && value.length === 0 ? (value as () => unknown)() : value
    if (isCandidate(candidate)) found.set(candidate.name, candidate)
  }
  return [...found.values()]
}

function isCandidate(value: unknown): value is Candidate {
  if (typeof value !== 'object' || value === null || !('name' in value)) return false
  return 'accept' in value || 'unwrap' in value
}

function fixtures(): [name: string, protocol: string, head: Uint8Array][] {
  return folders.flatMap(({ name: folder }) => {
    const path = join(here, folder, 'fixtures')
    if (!existsSync(path)) return []
    const files = readdirSync(path).filter((file) => file.endsWith('.client.bin'))
    return files.map((file): [string, string, Uint8Array] => [
      `${folder}/${file}`,
      folder,
      new Uint8Array(readFileSync(join(path, file))),
    ])
  })
}

/** Asserts the rule for one head; gives the name of the protocol that says yes. */
function whoSays(head: Uint8Array): string | undefined {
  const answers = detecting.map(({ name, detect }) => ({ name, answer: detect?.(head) }))
  const yes = answers.filter(({ answer }) => answer === 'yes')
  const shown = JSON.stringify(answers)
  assert.ok(yes.length <= 1, `several say yes: ${shown}`)
  if (yes.length === 1) assert.ok(!answers.some(({ answer }) => answer === 'more'), `yes and more: ${shown}`)
  return yes[0]?.name
}

/** The rule for every prefix; and who has said yes does not take it back, nor does anyone else say it. */
function check(all: Uint8Array): string | undefined {
  let decided: string | undefined
  for (let length = 0; length <= Math.min(all.length, maxHeadBytes); length++) {
    const who = whoSays(all.subarray(0, length))
    if (decided !== undefined) assert.equal(who, decided, `at ${length} bytes`)
    decided = who
  }
  return decided
}

const encode = (head: string | Uint8Array) =>
  typeof head === 'string' ? new TextEncoder().encode(head) : head

describe(`detectors of ${detecting.map(({ name }) => name).join(', ')}`, () => {
  for (const [name, protocol, head] of fixtures()) {
    it(`know ${name}, at every length`, () => assert.equal(check(head), protocol))
  }

  for (const [head, protocol] of more) {
    it(`know ${JSON.stringify(head).slice(0, 50)}: ${protocol}`, () => {
      const known = detecting.some(({ name }) => name === protocol)
      assert.equal(check(encode(head)), known ? protocol : undefined)
    })
  }

  it('do not contradict each other on any bytes', () => {
    const heads = [...fixtures().map(([, , head]) => head), ...more.map(([head]) => encode(head))]
    const mixed = fc
      .tuple(
        fc.constantFrom(...heads),
        fc.nat(),
        fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(...heads)),
      )
      .map(([head, at, tail]) => {
        const kept = head.subarray(0, Math.min(at % (head.length + 1), 200))
        return new Uint8Array([...kept, ...tail.subarray(0, 200)])
      })
    fc.assert(
      fc.property(mixed, (head) => void check(head)),
      { numRuns: 200 },
    )
  })

  it('are decided at 4 KiB, and quick about it', () => {
    const heads = ['{', '[', '{"a":[', '{"a":"', ' ', '{"a":1,'].map((text) =>
      encode(text.repeat(maxHeadBytes)),
    )
    const start = performance.now()
    for (const head of heads) {
      const seen = detectAmong(detecting, head.subarray(0, maxHeadBytes))
      assert.equal(seen.kind, 'none')
    }
    assert.ok(performance.now() - start < 200)
  })
})
