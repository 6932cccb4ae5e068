import { MemoryOutput } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import { TypeReaders } from './decode-type.ts'
import { Definitions } from './definitions.ts'
import { type GobLimits, resolveGobLimits } from './limits.ts'
import { explain, Problem } from '../problem.ts'
import { GobReader } from './reader.ts'
import { expectSingle, Skipper } from './skip.ts'
import { type GobType, isGobType } from './types.ts'
import { WireTypes } from './wire-types.ts'

/**
 * Reads the values of one stream, however its bytes are cut: one for each connection and direction. A value that does
 * not fit its type is an error of its own, and the next one can be read; after bytes that are no gob stream, or go
 * beyond a limit, nothing can, and every further use throws the same error.
 */
export class GobDecoder {
  readonly #limits: GobLimits
  readonly #types: WireTypes
  readonly #definitions: Definitions
  readonly #readers: TypeReaders
  readonly #walk: Skipper
  readonly #reader: GobReader
  /** What has arrived: from `#at` to `#store.at` it has not been read. */
  readonly #store = new MemoryOutput(0)
  #at = 0
  /** The value that is to be read next: its type's id, and where it stands behind that id. */
  #id = 0
  #valueStart = 0
  /** Where it ends; 0 while it is not known to be all there. */
  #valueEnd = 0
  /** Where the next message of a value that goes on begins; 0 where none does. */
  #walkedTo = 0
  #broken: RpcError | undefined
  #reading = false

  constructor(limits: Partial<GobLimits> = {}) {
    this.#limits = resolveGobLimits(limits)
    const { maxDepth, maxNameBytes } = this.#limits
    this.#reader = new GobReader(maxDepth)
    this.#types = new WireTypes(this.#limits)
    this.#definitions = new Definitions(this.#types, this.#limits)
    const take = (reader: GobReader, id: number): void => this.#definitions.take(reader, id)
    const pass = (reader: GobReader): void => this.#definitions.pass(reader)
    // First a walk over the value takes in the definitions inside it; when it is read, they are passed over.
    this.#walk = new Skipper(this.#types, take)
    this.#readers = new TypeReaders(this.#types, { onDefinition: pass, maxNameBytes })
  }

  /** Why nothing more can be read; undefined while all is well. */
  get broken(): RpcError | undefined {
    return this.#broken
  }

  /** How many bytes have arrived that belong to no value that was read. At the end of a stream it should be 0. */
  get pending(): number {
    return this.#store.at - this.#at
  }

  /**
   * Takes in bytes, which may be used again afterwards. It reads nothing: whoever pushes must also take the values out
   * ({@link decodeNext}, {@link skipNext}), for what has not been read is kept.
   */
  push(chunk: Uint8Array): void {
    // What comes after bytes that could not be understood is of no use, and must not pile up.
    if (this.#broken !== undefined) return
    const store = this.#store
    if (this.#at > 0 && (this.#at === store.at || store.at + chunk.length > store.bytes.length))
      this.#compact()
    store.ensure(chunk.length)
    store.bytes.set(chunk, store.at)
    store.at += chunk.length
  }

  /**
   * Whether a whole value is there; definitions before it have then been taken in.
   * @throws RpcError for a stream that is broken.
   */
  get ready(): boolean {
    if (this.#valueEnd !== 0) return true
    if (this.#broken !== undefined) throw this.#broken
    try {
      return this.#advance()
    } catch (thrown) {
      this.#broken = explain(thrown, 'the gob stream is broken: the value')
      this.#forget()
      throw this.#broken
    }
  }

  /**
   * The next value, or undefined (which no value is) until all of it is there. With a type it is read as that, by Go's
   * rules; without, structs are objects, maps are Maps, and what the peer left out is zero or null.
   * @throws RpcError `invalid_argument` for a value that is not of the type, after which the next one can be read;
   * any error for a stream that is broken.
   */
  decodeNext<T = unknown>(type?: GobType<T>): T | undefined {
    if (type !== undefined && !isGobType(type)) {
      throw new RpcError('invalid_argument', 'the type of a value is no gob type')
    }
    if (this.#reading)
      throw new RpcError('failed_precondition', 'an opaque type must not read from the stream it is in')
    if (!this.ready) return undefined
    this.#reading = true
    const reader = this.#reader
    const end = this.#valueEnd
    reader.reset(this.#store.bytes, this.#valueStart, end)
    reader.omittable = this.#limits.maxOmittedFields
    try {
      const value = this.#readers.single(reader, this.#id, type)
      if (reader.at !== end) throw new Problem(`is followed by ${end - reader.at} bytes in its message`)
      return value as T
    } catch (thrown) {
      throw explain(thrown, 'the gob value')
    } finally {
      this.#reading = false
      this.#next()
    }
  }

  /** Passes over the next value without decoding it. False while it is not all there. */
  skipNext(): boolean {
    if (!this.ready) return false
    this.#next()
    return true
  }

  /** The values that are all there, each read when it is asked for. */
  *values<T = unknown>(type?: GobType<T>): Generator<T> {
    while (this.ready) yield this.decodeNext(type) as T
  }

  #next(): void {
    this.#at = this.#valueEnd
    this.#valueEnd = 0
    if (this.#at === this.#store.at) this.#forget()
  }

  /** Lets go of the bytes; a large store is given back. */
  #forget(): void {
    this.#at = 0
    this.#store.at = 0
    if (this.#store.bytes.length > 0x10000) this.#store.bytes = new Uint8Array(0)
  }

  #compact(): void {
    const { bytes, at } = this.#store
    const by = this.#at
    bytes.copyWithin(0, by, at)
    this.#store.at = at - by
    this.#at = 0
    if (this.#valueEnd !== 0) this.#valueEnd -= by
    if (this.#walkedTo !== 0) this.#walkedTo -= by
    this.#valueStart -= by
  }

  /** Goes on to where a value is known to be all there. False where bytes are missing. */
  #advance(): boolean {
    for (;;) {
      const start = this.#walkedTo === 0 ? this.#at : this.#walkedTo
      const end = this.#openMessage(start)
      if (end === 0) return false
      const reader = this.#reader
      if (this.#walkedTo !== 0) {
        // The value's parts may be short, but they are one value.
        if (end - this.#at > this.#limits.maxMessageBytes) throw tooLarge(end - this.#at, this.#limits)
        if (this.#walked(this.#walk.resume(reader), end)) return true
        continue
      }
      const id = reader.id()
      if (id < 0) {
        this.#definitions.take(reader, -id)
        if (reader.at !== end) throw new Problem(`is followed by ${end - reader.at} bytes after a definition`)
        this.#at = end
        if (this.#at === this.#store.at) this.#forget()
        continue
      }
      this.#id = id
      this.#valueStart = reader.at
      const type = this.#types.complete(id)
      if (!type.interfaces) return this.#walked(true, end)
      if (type.kind !== 'struct') expectSingle(reader)
      if (this.#walked(this.#walk.start(reader, type), end)) return true
    }
  }

  /** Notes how far a walk over the value has come; true if that is all of it. */
  #walked(whole: boolean, end: number): boolean {
    this.#walkedTo = whole ? 0 : end
    this.#valueEnd = whole ? end : 0
    return whole
  }

  /** Turns the reader to the message that begins at a position. Its end, or 0 if it is not all there. */
  #openMessage(start: number): number {
    const reader = this.#reader
    const { at: available } = this.#store
    if (start >= available) return 0
    const first = this.#store.bytes[start] as number
    // A length of up to 8 bytes, of which the first tells the number.
    const head = first < 0x80 ? 1 : 1 + Math.min(0x100 - first, 8)
    if (available - start < head) return 0
    reader.reset(this.#store.bytes, start, available)
    const length = reader.count()
    if (length === 0) throw new Problem('is an empty message')
    if (length > this.#limits.maxMessageBytes) throw tooLarge(length, this.#limits)
    if (length > available - reader.at) return 0
    reader.end = reader.at + length
    return reader.end
  }
}

function tooLarge(length: number, { maxMessageBytes }: GobLimits): Problem {
  return new Problem(
    `is a message of ${length} bytes, at most ${maxMessageBytes} are allowed`,
    'resource_exhausted',
  )
}
