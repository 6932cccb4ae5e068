import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import type { wireType } from './definition.ts'
import { definitionWriter } from './encode-type.ts'
import { GobDecoder, type GobLimits, gob } from './index.ts'
import { resolveGobLimits } from './limits.ts'
import { GobWriter } from './writer.ts'

// What the tests of this folder share.

const fixtures = JSON.parse(readFileSync(new URL('fixtures/go.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>

export const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A stream that Go made. */
export const fixture = (name: string): Uint8Array => bytesOf(fixtures[name] ?? assert.fail(name))
export const allFixtures: readonly Uint8Array[] = Object.values(fixtures).map(bytesOf)

/** All values of a stream, by types that take turns. */
export function decodeAll(bytes: Uint8Array, ...types: (gob.GobType | undefined)[]): unknown[] {
  const decoder = new GobDecoder()
  decoder.push(bytes)
  const values: unknown[] = []
  while (decoder.ready) values.push(decoder.decodeNext(types[values.length % Math.max(types.length, 1)]))
  assert.equal(decoder.pending, 0)
  return values
}

export function throwsRpc(run: () => unknown, message: RegExp | string, code = 'invalid_argument'): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof RpcError, String(error))
    assert.equal(error.code, code)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })
}
/** A stream made piece by piece, however wrong. */
export class Forge {
  readonly output = new MemoryOutput()
  readonly #writer = new GobWriter(resolveGobLimits({ maxMessageBytes: 1 << 30, maxDepth: 1 << 20 }))

  message(write: (writer: GobWriter) => void): this {
    this.#writer.begin(this.output)
    const start = this.#writer.open()
    write(this.#writer)
    this.#writer.close(start)
    this.output.at = this.#writer.at
    return this
  }

  define(id: number, definition: gob.Infer<typeof wireType>): this {
    return this.message((writer) => {
      writer.int(-id)
      definitionWriter().write(writer, definition)
    })
  }

  slice(id: number, Elem: number): this {
    return this.define(id, { SliceT: { CommonType: { Name: '', Id: id }, Elem } })
  }

  struct(id: number, Field: { Name: string; Id: number }[]): this {
    return this.define(id, { StructT: { CommonType: { Name: 'S', Id: id }, Field } })
  }

  value(id: number, ...bytes: number[]): this {
    return this.message((writer) => {
      writer.int(id)
      for (const byte of bytes) writer.byte(byte)
    })
  }

  bytes(): Uint8Array {
    return this.output.bytes.slice(0, this.output.at)
  }
}

/** Decodes all there is, in every way; every failure must be an RpcError. */
export function drain(bytes: Uint8Array, limits?: Partial<GobLimits>): RpcError | undefined {
  let failure: RpcError | undefined
  for (const use of ['decode', 'skip', 'typed'] as const) {
    const decoder = new GobDecoder(limits)
    decoder.push(bytes)
    for (let i = 0; i < 100_000; i++) {
      try {
        const more =
          use === 'skip'
            ? decoder.skipNext()
            : decoder.decodeNext(use === 'typed' ? Rich : undefined) !== undefined
        if (!more) break
      } catch (error) {
        assert.ok(RpcError.is(error), `${String(error)} ${(error as Error).stack}`)
        assert.match(error.code, /^(invalid_argument|resource_exhausted)$/)
        if (use === 'decode') failure ??= error
        if (decoder.broken !== undefined) break
      }
    }
  }
  return failure
}

const Rich = gob.struct('Rich', {
  Name: gob.string,
  Shape: gob.any,
  Shapes: gob.slice(gob.interface({ int: gob.int, 'main.Circle': gob.struct('C', { Radius: gob.float }) })),
  Table: gob.map(gob.string, gob.any),
  X: gob.int,
  Pointer: gob.pointer(gob.struct('P', { X: gob.int })),
  Missing: gob.array(100, gob.array(100, gob.int)),
})
