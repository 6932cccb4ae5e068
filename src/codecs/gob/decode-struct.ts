import { inside, property } from '../problem.ts'
import type { GobReader } from './reader.ts'
import { noField } from './skip.ts'
import type { GobType, StructType } from './types.ts'
import type { ValueReader, WireType } from './wire-types.ts'
import { templateOf, wireZero, type Zero, zeroOf } from './zero.ts'

/** What a struct's reader needs of the readers of its stream. */
export interface Readers {
  of(id: number, type: GobType | undefined): ValueReader<GobReader>
  kindOf(id: number): WireType['kind']
  skip(reader: GobReader, id: number): void
}

/** Makes the function that reads a peer's struct as ours, field by field as the names say, or as it is. */
export function structReader(
  readers: Readers,
  wire: WireType,
  type: StructType | undefined,
): (reader: GobReader) => Record<string, unknown> {
  const sent = wire.fields ?? []
  const parts: { property: string; zero: Zero }[] =
    type === undefined
      ? sent.map(({ name, id }) => ({ property: name, zero: wireZero(kindHere(readers.kindOf(id))) }))
      : type.fields.map((field) => ({ property: field.property, zero: zeroOf(field.type) }))
  const template = templateOf(parts)
  const made = parts.filter(({ zero }) => zero.make !== undefined)
  const fields = sent.map(({ name, id }) => {
    const ours = type?.fields.find((field) => field.name === name)
    if (type !== undefined && ours === undefined) return { id, property: '', value: undefined }
    try {
      return { id, property: ours?.property ?? name, value: readers.of(id, ours?.type) }
    } catch (thrown) {
      throw inside(thrown, property(ours?.property ?? name))
    }
  })
  const { length } = fields
  const cost = parts.length

  return (reader) => {
    reader.enter()
    reader.omit(cost)
    const object = { ...template }
    let at = -1
    try {
      for (;;) {
        const delta = reader.count()
        if (delta === 0) break
        if (at + delta >= length) throw noField(at + delta, wire)
        at += delta
        const field = fields[at] as (typeof fields)[number]
        if (field.value === undefined) readers.skip(reader, field.id)
        else {
          object[field.property] = field.value.read(reader)
          // It was counted as left out, like all.
          reader.omittable++
        }
      }
    } catch (thrown) {
      throw inside(thrown, at < 0 ? '' : property(sent[at]?.name ?? ''))
    }
    for (let i = 0; i < made.length; i++) {
      const { property: name, zero } = made[i] as (typeof made)[number]
      if (object[name] !== undefined) continue
      reader.omit(zero.cost)
      object[name] = zero.make?.()
    }
    reader.depth--
    return object
  }
}

/** The peer's kinds are ours, but that its interface is of unknown contents. */
function kindHere(kind: WireType['kind']): Parameters<typeof wireZero>[0] {
  return kind === 'interface' ? 'any' : kind
}
