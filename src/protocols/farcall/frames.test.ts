import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { Reader } from '../../core/bytes/varint.ts'
import { RpcError } from '../../core/error.ts'
import { defaultLimits } from '../../core/limits.ts'
import { Metadata } from '../../core/metadata.ts'
import { readCallHead, readMethodInfo, readReason, readReplyHead } from './decode.ts'
import {
  emptyCallHead,
  beginFrame,
  type CallHead,
  endFrame,
  type MethodRef,
  writeCallHead,
  writeMethodInfo,
  writeReason,
  writeReplyHead,
} from './encode.ts'
import { FrameReader } from './frame-reader.ts'
import { maxFrameBytes } from './frames.ts'
import { decodePreface, encodePreface, magic, PrefaceReader, prefaceOf } from './preface.ts'

interface SeenFrame {
  readonly type: number
  readonly id: number
  readonly body: string
}

function readAll(chunks: readonly Uint8Array[]): SeenFrame[] {
  const seen: SeenFrame[] = []
  const frames = new FrameReader(maxFrameBytes, (type, bytes, start, end) => {
    const reader = new Reader(bytes, start, end)
    const id = reader.varint()
    seen.push({ type, id, body: Buffer.from(bytes.subarray(reader.at, end)).toString('hex') })
  })
  for (const chunk of chunks) frames.push(chunk)
  assert.ok(frames.atBoundary)
  return seen
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.slice(from, at[i] ?? bytes.length))
}

const anyFrame = fc.record({
  type: fc.integer({ min: 1, max: 127 }),
  id: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeNat()),
  body: fc.uint8Array({ maxLength: 300 }),
})

function encodeFrames(frames: readonly { type: number; id: number; body: Uint8Array }[]): Uint8Array {
  const output = new MemoryOutput(8)
  for (const { type, id, body } of frames) {
    const start = beginFrame(output, type, id)
    output.ensure(body.length)
    output.bytes.set(body, output.at)
    output.at += body.length
    endFrame(output, start)
  }
  return output.take()
}

describe('frames', () => {
  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.nat(5000), { maxLength: 20 }),
        (frames, places) => {
          const bytes = encodeFrames(frames)
          const expected = frames.map(({ type, id, body }) => ({
            type,
            id,
            body: Buffer.from(body).toString('hex'),
          }))
          assert.deepEqual(readAll([bytes]), expected)
          assert.deepEqual(readAll(cut(bytes, places)), expected)
          assert.deepEqual(readAll([...bytes].map((byte) => Uint8Array.of(byte))), expected)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('are read no further than to where the reader is stopped, also behind one that was split', () => {
    const bytes = encodeFrames([1, 2, 3].map((id) => ({ type: 1, id, body: new Uint8Array(5) })))
    const third = (bytes.length / 3) * 2
    for (const split of [0, 3, 7]) {
      const ids: number[] = []
      const frames = new FrameReader(maxFrameBytes, (_type, frame, start) => {
        ids.push(frame[start] as number)
        if (ids.length === 2) frames.stop()
      })
      if (split > 0) assert.equal(frames.push(bytes.subarray(0, third / 2 + split)), third / 2 + split)
      const from = split === 0 ? 0 : third / 2 + split
      assert.equal(frames.push(bytes, from), third)
      assert.ok(frames.atBoundary)
      assert.equal(frames.push(bytes, third), bytes.length)
      assert.deepEqual(ids, [1, 2, 3])
    }
  })

  it('are refused where they claim what cannot be, before anything is kept for it', () => {
    const reader = () => new FrameReader(maxFrameBytes, () => assert.fail('no frame'))
    assert.throws(() => reader().push(Uint8Array.of(0x80, 0, 0, 0)), /claims 2147483648 bytes, at most 65536/)
    assert.throws(() => reader().push(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), /claims 4294967295 bytes/)
    for (const byte of [0, 1])
      assert.throws(() => reader().push(Uint8Array.of(0, 0, 0, byte)), /cannot hold its type and id/)
    const slow = reader()
    assert.throws(() => [0x7f, 0, 0, 0].forEach((byte) => slow.push(Uint8Array.of(byte))), /claims/)
  })
})

const name = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' })
const anyRef: fc.Arbitrary<MethodRef> = fc.oneof(
  fc.record({ ref: fc.constantFrom(0, 1), service: name, method: name }),
  fc.record({ ref: fc.integer({ min: 2, max: 5000 }), service: fc.constant(''), method: fc.constant('') }),
)
const metadata = fc
  .dictionary(fc.stringMatching(/^[0-9a-z_.-]{1,12}$/), fc.stringMatching(/^[ -~]{0,20}$/), { maxKeys: 5 })
  .map((entries) => (Object.keys(entries).length === 0 ? undefined : new Metadata(entries)))
const anyHead: fc.Arbitrary<CallHead> = fc
  .record({ form: fc.constantFrom<CallHead['form']>('list', 'named', 'message') })
  .chain(({ form }) =>
    fc.record({
      form: fc.constant(form),
      oneway: fc.boolean(),
      timeoutMs: fc.option(fc.nat(), { nil: undefined }),
      bounded: fc.boolean(),
      attempt: fc.integer({ min: 1, max: 300 }),
      key: fc.option(name, { nil: undefined }),
      stream: fc.option<number | string, undefined>(form === 'list' ? fc.nat(20) : name, { nil: undefined }),
      metadata,
    }),
  )

describe('what stands in frames', () => {
  it('a call head reads back as it was written', () => {
    fc.assert(
      fc.property(anyRef, anyHead, (ref, head) => {
        const output = new MemoryOutput(4)
        writeCallHead(output, ref, head)
        const end = output.at
        const reader = new Reader(output.bytes, 0, end)
        const { metadata: entries, problem, ...rest } = readCallHead(reader, defaultLimits)
        assert.deepEqual(rest, {
          ...ref,
          form: head.form,
          oneway: head.oneway,
          timeoutMs: head.timeoutMs,
          bounded: head.bounded,
          attempt: head.attempt,
          key: head.key,
          stream: head.stream,
        })
        assert.deepEqual([...(entries ?? [])], [...(head.metadata ?? [])])
        assert.equal(problem, undefined)
        assert.equal(reader.left, 0)
        for (let length = 0; length < end; length++) {
          // A truncated head is an error, never another head.
          assert.throws(() => {
            const { problem: found } = readCallHead(new Reader(output.bytes, 0, length), defaultLimits)
            if (found !== undefined) throw found
          }, RpcError)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('metadata that is no such thing spoils one call, not the connection', () => {
    const output = new MemoryOutput()
    writeCallHead(
      output,
      { ref: 2, service: '', method: '' },
      { ...emptyCallHead(), metadata: new Metadata({ ab: 'x' }) },
    )
    const bytes = output.take()
    const at = bytes.indexOf('b'.charCodeAt(0))
    bytes[at] = 0x0a
    assert.match(
      readCallHead(new Reader(bytes), defaultLimits).problem?.message ?? '',
      /metadata name "a\\n"/,
    )
  })

  it('method information, reasons and reply heads read back', () => {
    fc.assert(
      fc.property(
        fc.record({
          idempotent: fc.boolean(),
          input: fc.constantFrom('values', 'stream'),
          output: fc.constantFrom('value', 'stream'),
        }),
        fc.option(fc.array(name, { maxLength: 6 }), { nil: undefined }),
        metadata,
        metadata,
        (info, params, head, trailer) => {
          const output = new MemoryOutput(1)
          const whole = { ...info, ...(params !== undefined && { params }) } as never
          writeMethodInfo(output, whole)
          writeReason(output, new RpcError('aborted', 'why not'))
          writeReplyHead(output, 4, head, trailer)
          const reader = new Reader(output.bytes, 0, output.at)
          assert.deepEqual(readMethodInfo(reader), whole)
          assert.deepEqual(readReason(reader), { code: 'aborted', message: 'why not' })
          const read = readReplyHead(reader, defaultLimits)
          assert.deepEqual([...(read.head ?? [])], [...(head ?? [])])
          assert.deepEqual([...(read.trailer ?? [])], [...(trailer ?? [])])
          assert.equal(read.flags & 4, 4)
        },
      ),
    )
  })
})

describe('the preface', () => {
  const preface = prefaceOf(defaultLimits, ['msgpack', 'json'])

  it('is read however it is cut, and leaves what follows', () => {
    const bytes = encodePreface(preface)
    const followed = new Uint8Array([...bytes, 1, 2, 3])
    for (let at = 0; at <= followed.length; at++) {
      const reader = new PrefaceReader()
      const first = reader.push(followed.slice(0, at))
      const result = first ?? reader.push(followed.slice(at))
      assert.deepEqual(result?.preface, preface)
      assert.equal(result?.used, first === undefined ? bytes.length - at : bytes.length)
    }
  })

  it('is refused where it is something else', () => {
    assert.throws(
      () => new PrefaceReader().push(new TextEncoder().encode('GET / HTTP/1.1')),
      /does not speak the farcall protocol/,
    )
    assert.throws(
      () => new PrefaceReader().push(new Uint8Array([...magic, 0xff, 0, 0, 0])),
      /claims 4278190080 bytes, at most 4096/,
    )
    const decode = (text: string) => decodePreface(new TextEncoder().encode(text))
    assert.throws(() => decode('{'), /not JSON/)
    assert.throws(() => decode('[]'), /not a JSON object/)
    assert.throws(() => decode('{"versions":"1"}'), /'versions' is not a list/)
    assert.throws(
      () => decode(JSON.stringify({ ...preface, maxFrameBytes: 12 })),
      /'maxFrameBytes' must be an integer of at least 4096, got 12/,
    )
    assert.throws(() => decode(JSON.stringify({ ...preface, maxCalls: null })), /'maxCalls'/)
  })
})
