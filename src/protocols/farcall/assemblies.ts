import { spareBuffers } from '../../core/bytes/spare-buffers.ts'
import { RpcError } from '../../core/error.ts'
import { maxAssemblies } from './frames.ts'

interface Assembly {
  bytes: Uint8Array
  length: number
  /** It has outgrown the limit; its parts are dropped as they come. */
  oversize: boolean
}

/** Puts messages together that come in parts. What they hold is bounded by what has really come. */
export class Assemblies {
  readonly #maxMessageBytes: number
  readonly #open = new Map<number, Assembly>()

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Bytes that are kept of all of them. */
  get held(): number {
    let bytes = 0
    for (const assembly of this.#open.values()) bytes += assembly.bytes.length
    return bytes
  }

  has(id: number): boolean {
    return this.#open.has(id)
  }

  /** @throws RpcError `resource_exhausted` for more messages in parts at a time than the protocol allows. */
  add(id: number, bytes: Uint8Array, start: number, end: number): void {
    let assembly = this.#open.get(id)
    if (assembly === undefined) {
      if (this.#open.size >= maxAssemblies) {
        throw new RpcError('resource_exhausted', `more than ${maxAssemblies} messages in parts at a time`)
      }
      assembly = { bytes: spareBuffers.take(end - start), length: 0, oversize: false }
      this.#open.set(id, assembly)
    }
    append(assembly, bytes.subarray(start, end), this.#maxMessageBytes)
  }

  /**
   * The whole body, its last piece being in the frame that ends it; undefined where there were no parts. Its bytes are given
   * to {@link spareBuffers} once it has been read.
   */
  finish(
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): { bytes: Uint8Array; length: number; oversize: boolean } | undefined {
    const assembly = this.#open.get(id)
    if (assembly === undefined) return undefined
    this.#open.delete(id)
    append(assembly, bytes.subarray(start, end), this.#maxMessageBytes)
    return assembly
  }

  drop(id: number): void {
    const dropped = this.#open.size > 0 ? this.#open.get(id) : undefined
    if (dropped === undefined) return
    this.#open.delete(id)
    spareBuffers.give(dropped.bytes)
  }

  clear(): void {
    this.#open.clear()
  }
}

function append(assembly: Assembly, piece: Uint8Array, maxMessageBytes: number): void {
  if (assembly.oversize) return
  const length = assembly.length + piece.length
  if (length > maxMessageBytes) {
    // The beginning is kept: it tells which call it was.
    assembly.oversize = true
    return
  }
  if (length > assembly.bytes.length) {
    const larger = spareBuffers.take(Math.max(assembly.bytes.length * 2, length))
    larger.set(assembly.bytes.subarray(0, assembly.length))
    spareBuffers.give(assembly.bytes)
    assembly.bytes = larger
  }
  assembly.bytes.set(piece, assembly.length)
  assembly.length = length
}
