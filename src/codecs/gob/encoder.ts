import { MemoryOutput, type Output } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import type { TypeWriter } from './encode-basic.ts'
import { writerOf } from './encode-type.ts'
import { type GobLimits, resolveGobLimits } from './limits.ts'
import { asProblem, explain, Problem } from '../problem.ts'
import { SentTypes } from './sent-types.ts'
import { StreamWriter } from './stream-writer.ts'
import { type GobType, isGobType } from './types.ts'

interface Known {
  readonly id: number
  readonly writer: TypeWriter
  readonly single: boolean
}

/**
 * Writes the values of one stream: one for each connection and direction, since what it has defined once it does not
 * define again. All that it writes must reach the peer, in order.
 */
export class GobEncoder {
  readonly #types: SentTypes
  readonly #writer: StreamWriter
  readonly #known = new Map<GobType, Known>()

  constructor(limits: Partial<GobLimits> = {}) {
    const resolved = resolveGobLimits(limits)
    this.#types = new SentTypes(resolved)
    this.#writer = new StreamWriter(resolved, this.#types)
  }

  /**
   * Writes a value at `output.at`: the definitions that the peer does not have yet, then the value. Without a type it
   * is inferred, each time anew; values that are known to be alike are better given one.
   * @throws RpcError `invalid_argument` that names the path to what does not fit, `resource_exhausted` beyond a limit;
   * `output.at` is then as it was, and the stream goes on.
   */
  encode(value: unknown, output: Output, type?: GobType): void {
    const writer = this.#writer
    if (writer.busy) {
      throw new RpcError('failed_precondition', 'a getter of a value that is being sent must not itself send')
    }
    const start = output.at
    try {
      const { id, writer: typeWriter, single } = this.#find(value, type)
      writer.begin(output)
      const body = writer.open()
      writer.int(id)
      if (single) writer.byte(0)
      if (value === null || value === undefined)
        throw new Problem(`is ${String(value)}, and gob has no nil on its own`)
      typeWriter.write(writer, value)
      writer.close(body)
      const definitions = this.#types.takePending()
      if (definitions !== undefined) writer.insert(start, definitions)
      output.at = writer.at
    } catch (thrown) {
      output.at = start
      throw explain(asProblem(thrown), 'the value')
    } finally {
      writer.end()
    }
  }

  /**
   * The same as bytes of its own, for whoever has no {@link Output}.
   * @throws RpcError as {@link encode}.
   */
  encodeNext<T>(value: T, type?: GobType<T>): Uint8Array {
    const output = new MemoryOutput()
    this.encode(value, output, type)
    return output.take()
  }

  #find(value: unknown, given: GobType | undefined): Known {
    const known = given === undefined ? undefined : this.#known.get(given)
    if (known !== undefined) return known
    if (given !== undefined && !isGobType(given)) {
      throw new RpcError('invalid_argument', 'the type of a value is no gob type')
    }
    const writer = given === undefined ? undefined : writerOf(given)
    // Like Go, an interface on its own is sent as what it holds.
    const inferred = writer === undefined || writer.type.kind === 'any'
    const found = inferred ? writerOf(this.#types.infer(value)) : writer
    const { kind } = found.type
    const entry = { id: this.#types.idOf(found.type), writer: found, single: kind !== 'struct' }
    if (given !== undefined && !inferred) this.#known.set(given, entry)
    return entry
  }
}
