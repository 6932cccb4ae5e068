import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { Reader } from '../../src/core/bytes/varint.ts'
import { parseHostPort } from '../../src/core/endpoint.ts'
import { defaultLimits } from '../../src/core/limits.ts'
import { readReason, readReplyHead } from '../../src/protocols/farcall/decode.ts'
import { FrameReader } from '../../src/protocols/farcall/frame-reader.ts'
import { frameTypes, joinedBit } from '../../src/protocols/farcall/frames.ts'
import { PrefaceReader } from '../../src/protocols/farcall/preface.ts'

/** What a server told a peer. `gone`: the connection has ended. `refused`: by its preface. */
export interface Heard {
  readonly kind: 'reply' | 'error' | 'close' | 'refused' | 'gone'
  readonly id: number
  readonly code?: string
  readonly message?: string
}

/** A connection that sends what it likes, and understands what it is told. */
export interface RawPeer extends Disposable {
  readonly socket: Socket
  readonly heard: readonly Heard[]
  readonly gone: boolean
  /** Resolves when the bytes were given to the system. */
  send(bytes: Uint8Array): Promise<void>
  /** The first such answer, come or to come. Rejects after a second, or when nothing can come any more. */
  hears(wanted: Partial<Pick<Heard, 'kind' | 'id'>>): Promise<Heard>
}

/** How long a server may take to tell a hostile peer what is wrong. */
const patienceMs = 1000

/** Connects to `tcp://…`, and says nothing. */
export async function rawPeer(target: string): Promise<RawPeer> {
  const { host, port } = parseHostPort(target.replace(/^[a-z]+:\/\//, ''))
  const socket = connectTcp({ host, port, noDelay: true, allowHalfOpen: true })
  await once(socket, 'connect')
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  let gone = false
  const tell = (one: Heard) => {
    heard.push(one)
    for (const check of waiting) check()
  }
  const leave = () => {
    if (gone) return
    gone = true
    tell({ kind: 'gone', id: 0 })
  }
  const read = answerReader(tell)
  socket.on('data', read)
  // A server that is gone in the middle of what we send is what these tests are about.
  socket.on('error', () => {})
  socket.on('end', () => {
    socket.destroy()
    leave()
  })
  socket.on('close', leave)

  function hears(wanted: Partial<Pick<Heard, 'kind' | 'id'>>): Promise<Heard> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        waiting.delete(check)
        settle()
      }
      const fail = (why: string) =>
        finish(() => reject(new Error(`${why}: ${JSON.stringify(wanted)} not in ${JSON.stringify(heard)}`)))
      const timer = setTimeout(() => fail(`nothing within ${patienceMs} ms`), patienceMs)
      const check = () => {
        const found = heard.find(({ kind, id }) => kind === (wanted.kind ?? kind) && id === (wanted.id ?? id))
        if (found !== undefined) finish(() => resolve(found))
        else if (gone) fail('the connection has ended')
      }
      waiting.add(check)
      check()
    })
  }

  return {
    socket,
    heard,
    get gone() {
      return gone
    },
    send: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    hears,
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

// Reads a server's side of a connection.
function answerReader(tell: (heard: Heard) => void): (chunk: Uint8Array) => void {
  let preface: PrefaceReader | undefined = new PrefaceReader()
  const frames = new FrameReader(1 << 20, (type, bytes, start, end) => {
    const reader = new Reader(bytes, start, end)
    const id = reader.varint()
    switch (type & ~joinedBit) {
      case frameTypes.reply:
        return tell({ kind: 'reply', id })
      case frameTypes.error:
        readReplyHead(reader, defaultLimits)
        return tell({ kind: 'error', id, ...readReason(reader) })
      case frameTypes.close:
        return tell({ kind: 'close', id, ...readReason(reader) })
    }
  })
  return (chunk) => {
    if (preface === undefined) {
      frames.push(chunk)
      return
    }
    const result = preface.push(chunk)
    if (result === undefined) return
    preface = undefined
    if (result.preface.refused !== undefined) tell({ kind: 'refused', id: 0, ...result.preface.refused })
    frames.push(chunk, result.used)
  }
}
