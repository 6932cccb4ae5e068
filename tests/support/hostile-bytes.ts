import { MemoryOutput } from '../../src/core/bytes/output.ts'
import { writeVarint } from '../../src/core/bytes/varint.ts'
import { writeText } from '../../src/core/bytes/text.ts'
import { createMsgpackCodec } from '../../src/codecs/msgpack/msgpack.ts'
import { defaultLimits } from '../../src/core/limits.ts'
import { seededRandom } from '../../src/core/random.ts'
import {
  beginFrame,
  type CallHead,
  emptyCallHead,
  endFrame,
  writeCallHead,
} from '../../src/protocols/farcall/encode.ts'
import { callFlags, frameTypes, joinedBit } from '../../src/protocols/farcall/frames.ts'
import { encodePreface, magic, prefaceOf } from '../../src/protocols/farcall/preface.ts'

/** A method that every attacked server has, and takes these arguments. */
export interface Known {
  readonly service: string
  readonly method: string
  readonly args: readonly unknown[]
}

/** Bytes that a hostile peer sends, and what it is to hear within a second. */
export interface HostileBytes {
  readonly what: string
  readonly bytes: Uint8Array
  /** The peer says afterwards that it will send no more. */
  readonly ends?: boolean
  readonly hears: {
    readonly kind: 'error' | 'close' | 'refused' | 'gone'
    readonly code?: string
    readonly message?: RegExp
  }
  /** The connection goes on. */
  readonly goesOn?: boolean
}

/** Names that mean something to the language. */
export const hostileNames = [
  '__proto__',
  'constructor',
  'prototype',
  'then',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'toJSON',
  '__defineGetter__',
]

const plainHead: CallHead = emptyCallHead()

export function written(write: (output: MemoryOutput) => void): Uint8Array {
  const output = new MemoryOutput()
  write(output)
  return output.take()
}

export function raw(output: MemoryOutput, bytes: Uint8Array): void {
  output.ensure(bytes.length)
  output.bytes.set(bytes, output.at)
  output.at += bytes.length
}

export function frame(type: number, id: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  return written((output) => {
    const start = beginFrame(output, type, id)
    raw(output, body)
    endFrame(output, start)
  })
}

/** The preface of a client as it should be. */
export function preface(codec = 'msgpack'): Uint8Array {
  return encodePreface(prefaceOf(defaultLimits, [codec]))
}

export function encoded(value: unknown): Uint8Array {
  return written((output) => createMsgpackCodec({ records: false }).open(defaultLimits).encode(value, output))
}

export function callBody(
  { service, method }: { service: string; method: string },
  args: Uint8Array,
  head: Partial<CallHead> = {},
): Uint8Array {
  return written((output) => {
    // The literal form: names that are not to be numbered.
    writeCallHead(output, { ref: 1, service, method }, { ...plainHead, ...head })
    raw(output, args)
  })
}

export function call(id: number, to: { service: string; method: string }, args: Uint8Array): Uint8Array {
  return frame(frameTypes.call, id, callBody(to, args))
}

/** The call that is as it should be. */
export function goodCall(id: number, known: Known): Uint8Array {
  return call(id, known, encoded(known.args))
}

/** A message in parts. */
export function inParts(id: number, body: Uint8Array): Uint8Array {
  const size = 60_000
  const frames: Uint8Array[] = []
  for (let at = 0; at < body.length; at += size) {
    const type = at + size < body.length ? frameTypes.part : frameTypes.call | joinedBit
    frames.push(frame(type, id, body.subarray(at, at + size)))
  }
  return Buffer.concat(frames)
}

export function repeated(pattern: readonly number[], times: number): Uint8Array {
  const bytes = new Uint8Array(pattern.length * times)
  for (let i = 0; i < times; i++) bytes.set(pattern, i * pattern.length)
  return bytes
}

function prefaceWith(body: string, claimed?: number): Uint8Array {
  const text = new TextEncoder().encode(body)
  const bytes = new Uint8Array(magic.length + 4 + text.length)
  bytes.set(magic)
  new DataView(bytes.buffer).setUint32(magic.length, claimed ?? text.length)
  bytes.set(text, magic.length + 4)
  return bytes
}

const million = 1_000_000
const twoTo31 = [0x80, 0, 0, 0]
const twoTo31AsVarint = [0x80, 0x80, 0x80, 0x80, 0x08]
const [gone, refused] = [{ kind: 'gone' }, { kind: 'error', code: 'invalid_argument' }] as const

/** Before there is a session: what is no preface. */
function beforeTheSession(): HostileBytes[] {
  const random = seededRandom(31)
  const noise = Uint8Array.from({ length: 4096 }, () => 128 + Math.floor(random() * 128))
  const close = (message: RegExp) => ({ kind: 'close', code: 'invalid_argument', message }) as const
  const fields = JSON.stringify(prefaceOf(defaultLimits, ['msgpack']))
  return [
    { what: 'noise', bytes: noise, hears: gone },
    { what: 'our first byte and noise', bytes: Buffer.concat([Uint8Array.of(0), noise]), hears: gone },
    { what: 'half of our name, and no more', bytes: magic.subarray(0, 4), ends: true, hears: gone },
    { what: 'half of a preface, and no more', bytes: preface().subarray(0, 60), ends: true, hears: gone },
    {
      what: 'a preface that claims 2^31 bytes',
      bytes: prefaceWith('{}', 2 ** 31),
      hears: close(/claims 2147483648 bytes/),
    },
    { what: 'a preface of lists in lists', bytes: prefaceWith('['.repeat(4096)), hears: close(/not JSON/) },
    { what: 'a preface that is null', bytes: prefaceWith('null'), hears: close(/not a JSON object/) },
    {
      what: 'a preface that says nothing but __proto__',
      bytes: prefaceWith('{"__proto__":{"maxFrameBytes":65536}}'),
      hears: close(/'maxFrameBytes' must be an integer/),
    },
    {
      what: 'a preface with windows of 1e308 bytes',
      bytes: prefaceWith(fields.replace(/"streamWindowBytes":\d+/, '"streamWindowBytes":1e308')),
      hears: close(/'streamWindowBytes' must be an integer/),
    },
    {
      what: 'a version that nobody speaks',
      bytes: prefaceWith(fields.replace('"versions":[1]', '"versions":[99]')),
      hears: { kind: 'refused', code: 'unimplemented', message: /version 99 is not spoken/ },
    },
    {
      what: 'a codec that nobody has',
      bytes: prefaceWith(fields.replace('"msgpack"', '"__proto__"')),
      hears: { kind: 'refused', message: /__proto__/ },
    },
  ]
}

/** Frames that cannot be: the connection ends, and its peer is told why. */
function brokenFrames(known: Known): HostileBytes[] {
  const closes = (
    what: string,
    message: RegExp,
    ...frames: readonly (Uint8Array | readonly number[])[]
  ): HostileBytes => ({
    what,
    bytes: Buffer.concat([preface(), ...frames.map((bytes) => Uint8Array.from(bytes))]),
    hears: { kind: 'close', message },
  })
  const name = (claim: readonly number[]) => frame(frameTypes.call, 1, Uint8Array.of(0, 0, ...claim, 65))
  const part = (id: number) => frame(frameTypes.part, id, new Uint8Array(1000))
  return [
    closes('garbage', /claims 4294967295 bytes/, repeated([0xff], 64)),
    closes('a frame that claims 2^31 bytes', /claims 2147483648 bytes/, twoTo31),
    closes('a frame of one byte too many', /claims 65537 bytes/, [0, 1, 0, 1]),
    closes('a frame of no bytes', /claims 0 bytes/, [0, 0, 0, 0]),
    closes('a frame without an id', /claims 1 bytes/, [0, 0, 0, 1, 1]),
    {
      what: 'half of a frame, and no more',
      bytes: Buffer.concat([preface(), goodCall(1, known).subarray(0, 12)]),
      ends: true,
      hears: gone,
    },
    closes('an unknown critical frame', /frame type 161 is unknown/, frame(161, 1)),
    closes('a frame that only servers send', /call 9, which was never made/, frame(frameTypes.reply, 9)),
    closes('a drain', /a client cannot drain/, frame(frameTypes.drain, 0)),
    closes('a call id twice', /call id 1 was used before/, goodCall(1, known), goodCall(1, known)),
    closes('an id twice, not in order', /call id 4 was used/, ...[5, 4, 4].map((id) => goodCall(id, known))),
    ...(['item', 'end', 'cancel'] as const).map((type) =>
      closes(
        `${type} for a call that never was`,
        /call 7, which was never made/,
        frame(frameTypes[type], 7, Uint8Array.of(1, 0)),
      ),
    ),
    closes(
      'the end of a message that never began',
      /parts never came/,
      frame(frameTypes.call | joinedBit, 1, new Uint8Array(10)),
    ),
    closes('a fifth message in parts', /more than 4 messages in parts/, ...[1, 2, 3, 4, 5].map(part)),
    closes(
      'a method number that was never given',
      /number 2147483648, which was never defined/,
      frame(frameTypes.call, 1, Uint8Array.of(0, ...twoTo31AsVarint, 0x90)),
    ),
    closes('a name that claims 2^31 bytes', /./, name(twoTo31AsVarint)),
    closes('a name that is no UTF-8', /./, name([2, 0xff, 0xfe])),
    closes(
      'a name of 300 bytes',
      /a name of 302 bytes/,
      call(1, { service: 's', method: 'x'.repeat(300) }, encoded([])),
    ),
    closes(
      'a definition that claims 2^31 names',
      /2147483648 names/,
      frame(frameTypes.define, 0, Uint8Array.of(0, ...twoTo31AsVarint)),
    ),
    closes(
      'a definition that claims a name of 2^31 bytes',
      /names of all records exceed/,
      frame(frameTypes.define, 0, Uint8Array.of(0, 1, ...twoTo31AsVarint)),
    ),
  ]
}

/** Calls that cannot be answered as they stand: each gets an error, and the next is answered. */
function brokenCalls(known: Known): HostileBytes[] {
  const fails = (what: string, body: Uint8Array, hears: HostileBytes['hears'], codec?: string) => ({
    what,
    bytes: Buffer.concat([
      preface(codec),
      body.length > 60_000 ? inParts(1, body) : frame(frameTypes.call, 1, body),
    ]),
    hears,
    goesOn: codec === undefined,
  })
  const takes = (args: Uint8Array) => callBody(known, args)
  const deep = { kind: 'error', code: 'resource_exhausted', message: /nested deeper than 64/ } as const
  const text = (value: string) => new TextEncoder().encode(value)
  return [
    fails('lists 10^6 deep', takes(repeated([0x91], million)), deep),
    fails('objects 10^6 deep', takes(repeated([0x81, 0xa1, 0x61], million)), deep),
    fails('lists 10^6 deep as JSON', takes(text('['.repeat(million))), deep, 'json'),
    fails('objects 10^6 deep as JSON', takes(text('{"a":'.repeat(million / 2))), deep, 'json'),
    ...Object.entries({ list: 0xdd, map: 0xdf, text: 0xdb, bytes: 0xc6, extension: 0xc9 }).map(
      ([type, byte]) =>
        fails(`a ${type} that claims 2^31`, takes(Uint8Array.of(0x91, byte, ...twoTo31, 1)), refused),
    ),
    fails('arguments that are cut off', takes(Uint8Array.of(0x92, 1)), refused),
    fails('no arguments at all', takes(new Uint8Array()), refused),
    fails('arguments that are no list', takes(encoded('text')), refused),
    fails('arguments with a byte too many', takes(Uint8Array.of(0x90, 0x90)), refused),
    fails(
      'metadata that claims 2^31 entries',
      written((output) => {
        raw(output, Uint8Array.of(callFlags.metadata, 1))
        writeText(output, known.service)
        writeText(output, known.method)
        writeVarint(output, 2 ** 31)
      }),
      { kind: 'error', code: 'resource_exhausted', message: /2147483648 metadata entries/ },
    ),
    fails('a message of 5 MiB', takes(new Uint8Array(5 << 20)), {
      kind: 'error',
      code: 'resource_exhausted',
      message: /more than the 4194304 bytes/,
    }),
    ...['nobody', ...hostileNames].flatMap((name) => [
      fails(`the service ${name}`, callBody({ service: name, method: 'add' }, encoded([])), {
        kind: 'error',
        code: 'not_found',
      }),
      fails(`the method ${name}`, callBody({ service: known.service, method: name }, encoded([])), {
        kind: 'error',
        code: 'not_found',
      }),
      fails(
        `the argument ${name}`,
        callBody(known, encoded(Object.fromEntries([[name, 1]])), { form: 'named' }),
        refused,
      ),
    ]),
  ]
}

/** The whole table. */
export function hostileBytes(known: Known): HostileBytes[] {
  return [...beforeTheSession(), ...brokenFrames(known), ...brokenCalls(known)]
}
