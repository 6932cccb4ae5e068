import { MemoryOutput } from '../../core/bytes/output.ts'
import { utf8Length } from '../../core/bytes/text.ts'
import { RpcError } from '../../core/error.ts'
import { basicIds, defineType, firstDefinableId } from './definition.ts'
import type { TypeWriter } from './encode-basic.ts'
import { definitionWriter, writerOf } from './encode-type.ts'
import { guess, keyOf, toType } from './infer.ts'
import type { GobLimits } from './limits.ts'
import type { StreamTypes } from './stream-writer.ts'
import { type ConcreteType, type GobType, resolveType } from './types.ts'
import { GobWriter } from './writer.ts'

/** The types that a stream has told its peer, and those that it must tell before the next value. */
export class SentTypes implements StreamTypes {
  readonly #limits: GobLimits
  readonly #ids = new Map<GobType, number>()
  readonly #inferred = new Map<string, GobType>()
  readonly #pending = new MemoryOutput(0)
  #defined = 0

  constructor(limits: GobLimits) {
    this.#limits = limits
  }

  writerOf(type: GobType): TypeWriter {
    return writerOf(type)
  }

  /** @throws RpcError `resource_exhausted` for more types than a stream may define. */
  idOf(given: GobType): number {
    const known = this.#ids.get(given)
    if (known !== undefined) return known
    // Outer types come first, then what they consist of; a list and not a recursion, however long the chain.
    const due: { readonly type: ConcreteType; readonly id: number }[] = []
    const entered: GobType[] = []
    const idOf = (part: GobType): number => {
      const before = this.#ids.get(part)
      if (before !== undefined) return before
      const { type } = resolveType(part)
      const id = this.#ids.get(type) ?? basicId(type) ?? this.#nextId()
      if (id >= firstDefinableId && !this.#ids.has(type)) due.push({ type, id })
      for (const key of [type, part]) this.#ids.set(key, id)
      entered.push(type, part)
      return id
    }
    const { at } = this.#pending
    const before = this.#defined
    try {
      const id = idOf(given)
      for (const next of due) this.#define(next.type, next.id, idOf)
      return id
    } catch (thrown) {
      // A type that could not be defined must not be taken for one that has been.
      for (const key of entered) this.#ids.delete(key)
      this.#pending.at = at
      this.#defined = before
      throw thrown
    }
  }

  infer(value: unknown): GobType {
    const found = guess(value, this.#limits)
    const key = keyOf(found)
    const known = this.#inferred.get(key)
    if (known !== undefined) return known
    const type = toType(found)
    // Bounded by the limit on definitions, but for basic types, of which there are few.
    this.idOf(type)
    this.#inferred.set(key, type)
    return type
  }

  /** The definitions that the peer does not have yet, as messages; undefined if there are none. */
  takePending(): Uint8Array | undefined {
    return this.#pending.at === 0 ? undefined : this.#pending.take()
  }

  #nextId(): number {
    const { maxTypes } = this.#limits
    if (this.#defined >= maxTypes) {
      throw new RpcError(
        'resource_exhausted',
        `the stream would define more than maxTypes, ${maxTypes}; give values a type, so that they share one`,
      )
    }
    return firstDefinableId + ++this.#defined
  }

  #define(type: ConcreteType, id: number, idOf: (part: GobType) => number): void {
    const name = 'name' in type ? type.name : ''
    const names = type.kind === 'struct' ? [name, ...type.fields.map((field) => field.name)] : [name]
    const tooLong = names.find((each) => utf8Length(each) > this.#limits.maxNameBytes)
    if (tooLong !== undefined) {
      throw new RpcError(
        'resource_exhausted',
        `the name '${tooLong.slice(0, 40)}…' is longer than maxNameBytes`,
      )
    }
    const writer = new GobWriter({ ...this.#limits, maxDepth: 16 })
    writer.begin(this.#pending)
    const start = writer.open()
    writer.int(-id)
    definitionWriter().write(writer, defineType(type, id, idOf))
    writer.close(start)
    this.#pending.at = writer.at
  }
}

function basicId(type: ConcreteType): number | undefined {
  if (type.kind === 'any') return basicIds.interface
  return type.kind in basicIds ? basicIds[type.kind as keyof typeof basicIds] : undefined
}
