import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { errorCodes } from '../../src/core/code.ts'

/** A peer that sends whatever frames it likes over TCP, and notes what comes back. */
export interface FramePeer extends AsyncDisposable {
  readonly socket: Socket
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>
  send(...parts: readonly (Buffer | string)[]): void
  /** Sends, and waits until it has left or the connection is over. */
  flow(bytes: Buffer): Promise<void>
  /** Waits for an answer to a call, or CLOSE: `'invalid_argument: …'`, `'reply'`; or `'closed'` without any. */
  answer(id: number): Promise<string>
}

export async function framePeer(target: string): Promise<FramePeer> {
  const { hostname, port } = new URL(target)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  // How it ends is told by `closed`; a reset is one way.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  let received: Buffer = Buffer.alloc(0)
  const waiting = new Set<() => void>()
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (const check of waiting) check()
  })
  await once(socket, 'connect')
  return {
    socket,
    closed,
    send(...parts) {
      for (const part of parts) socket.write(part)
    },
    flow: (bytes) =>
      new Promise((resolve) => {
        // An error means that the connection is over.
        if (socket.writable) socket.write(bytes, () => resolve())
        else resolve()
      }),
    answer: (id) =>
      new Promise((resolve) => {
        const check = () => {
          const found = findAnswer(received, id)
          if (found === undefined) return
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
        void closed.then(() => resolve(findAnswer(received, id) ?? 'closed'))
      }),
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await closed
    },
  }
}

const magic = Buffer.from('\0FARCALL', 'latin1')

/** The bytes that every conversation begins with. */
export function preface(fields: object = {}): Buffer {
  const json = Buffer.from(
    JSON.stringify({
      versions: [1],
      codecs: ['json'],
      features: [],
      maxFrameBytes: 65_536,
      maxMessageBytes: 4_194_304,
      maxCalls: 1_024,
      maxStreams: 128,
      streamWindowBytes: 262_144,
      connectionWindowBytes: 4_194_304,
      ...fields,
    }),
  )
  return Buffer.concat([magic, u32(json.length), json])
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80)
    left = Math.floor(left / 0x80)
  }
  return Buffer.from([...bytes, left])
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(bytes.length), bytes])
}

export function frame(type: number, id: number, ...body: readonly (Buffer | string)[]): Buffer {
  const parts = body.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
  const rest = Buffer.concat([Buffer.from([type]), varint(id), ...parts])
  return Buffer.concat([u32(rest.length), rest])
}

interface CallOptions {
  readonly service?: string
  readonly flags?: number
  readonly before?: Buffer
}

/** A CALL that names its method without numbering it; arguments as the codec has them. */
export function call(
  id: number,
  method: string,
  args: Buffer | string = '[]',
  { service = 'victim', flags = 0, before = Buffer.from([]) }: CallOptions = {},
): Buffer {
  return frame(1, id, Buffer.from([flags, 1]), text(service), text(method), before, args)
}

export const types = {
  call: 1,
  reply: 2,
  error: 3,
  item: 5,
  end: 6,
  cancel: 7,
  credit: 8,
  ping: 9,
  drain: 11,
  method: 12,
  define: 13,
  part: 14,
  close: 15,
} as const

function findAnswer(bytes: Buffer, id: number): string | undefined {
  if (!bytes.subarray(0, 8).equals(magic) || bytes.length < 12) return undefined
  let at = 12 + bytes.readUInt32BE(8)
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32BE(at)
    const body = bytes.subarray(at + 4, at + 4 + length)
    if (body.length < length) return undefined
    at += 4 + length
    const type = (body[0] as number) & ~0x40
    const [frameId, next] = readVarint(body, 1)
    if (type === types.close) return reason(body, next)
    if (frameId !== id || id === 0) continue
    if (type === types.reply) return 'reply'
    if (type === types.error) return reason(body, next + 1)
  }
  return undefined
}

function reason(body: Buffer, at: number): string {
  const [length, start] = readVarint(body, at + 1)
  const code = errorCodes[(body[at] as number) - 1]
  return `${code}: ${body.subarray(start, start + length).toString()}`
}

function readVarint(bytes: Buffer, from: number): [value: number, next: number] {
  let value = 0
  let factor = 1
  let at = from
  for (;;) {
    const byte = bytes[at++] as number
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return [value, at]
    factor *= 0x80
  }
}
