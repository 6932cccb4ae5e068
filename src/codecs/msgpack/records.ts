import { readStrictUtf8 } from '../../core/bytes/strict-utf8.ts'
import { Reader } from '../../core/bytes/varint.ts'
import { RpcError } from '../../core/error.ts'
import { maxRecordKeys, maxRecordNameBytes, maxRecords } from './format.ts'

/** What reads the values of a record, one after the other. */
export interface ValueReader {
  read(): unknown
}

/** Reads the values of one shape into an object. */
export type RecordReader = (values: ValueReader) => Record<string, unknown>

/** A shape that a peer defined. All sessions of a codec share it: most of their peers have the same. */
export class PeerRecord {
  readonly names: readonly string[]
  #uses = 0
  read: RecordReader

  constructor(names: readonly string[], isShared: boolean) {
    this.names = names
    this.read = (values) => {
      if (++this.#uses === usesBeforeCompiling && isShared) this.read = compile(names)
      return readSlowly(names, values)
    }
  }
}

// Generating code costs as much as some hundred slow reads, so a shape must have shown that it is worth it.
const usesBeforeCompiling = 50
const maxShared = 1024
// What is kept in all is bounded too; shapes with more to their names belong to their session, and are read slowly.
const maxSharedLength = 2048

/** The shapes that a peer has defined in a session. */
export class Records {
  readonly #known: KnownRecords
  readonly #records: PeerRecord[] = []
  #nameBytes = 0

  constructor(known: KnownRecords) {
    this.#known = known
  }

  get(id: number): PeerRecord | undefined {
    return this.#records[id]
  }

  /** As `CodecSession.define`. */
  define(bytes: Uint8Array, start: number, end: number): void {
    const reader = new Reader(bytes, start, end)
    while (reader.left > 0) this.#defineOne(reader)
  }

  #defineOne(reader: Reader): void {
    const id = reader.varint()
    const due = this.#records.length
    if (id !== due) throw new RpcError('invalid_argument', `record ${id} is defined where ${due} is due`)
    if (id >= maxRecords) {
      throw new RpcError('resource_exhausted', `more than ${maxRecords} records are defined`)
    }
    const count = reader.varint()
    if (count === 0) throw new RpcError('invalid_argument', `record ${id} has no names`)
    if (count > maxRecordKeys) {
      throw new RpcError(
        'resource_exhausted',
        `record ${id} has ${count} names, at most ${maxRecordKeys} are allowed`,
      )
    }
    const names = new Set<string>()
    for (let i = 0; i < count; i++) names.add(this.#name(reader))
    if (names.size !== count) throw new RpcError('invalid_argument', `record ${id} has a name twice`)
    this.#records.push(this.#known.get([...names]))
  }

  #name(reader: Reader): string {
    const length = reader.varint()
    this.#nameBytes += length
    if (this.#nameBytes > maxRecordNameBytes) {
      throw new RpcError('resource_exhausted', `the names of all records exceed ${maxRecordNameBytes} bytes`)
    }
    const start = reader.skip(length)
    return readStrictUtf8(reader.bytes, start, start + length)
  }
}

/** The records of all sessions of a codec: of 10,000 connections with the same shapes each is held, and compiled, once. */
export class KnownRecords {
  readonly #records = new Map<string, PeerRecord>()

  get(names: readonly string[]): PeerRecord {
    const key = JSON.stringify(names)
    const known = this.#records.get(key)
    if (known !== undefined) return known
    const isShared = key.length <= maxSharedLength
    const made = new PeerRecord(names, isShared)
    if (!isShared) return made
    if (this.#records.size >= maxShared) this.#records.clear()
    this.#records.set(key, made)
    return made
  }
}

function compile(names: readonly string[]): RecordReader {
  // Every name becomes a JSON string, which is a JavaScript string literal too. Only `__proto__` means more than
  // itself in an object literal, and only if it is not computed.
  const entries = names.map(
    (name) => `${name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)}: values.read()`,
  )
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- only string literals of ours go in; it reads twice as fast
    return new Function('values', `return { ${entries.join(', ')} }`) as RecordReader
  } catch {
    // A content security policy may forbid generated code.
    return (values) => readSlowly(names, values)
  }
}

function readSlowly(names: readonly string[], values: ValueReader): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const name of names) setOwn(object, name, values.read())
  return object
}

/** Sets an own property, whatever its name is. */
export function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
  } else object[name] = value
}
