import { utf8Length } from '../../core/bytes/text.ts'
import { dynamicOf } from './dynamic.ts'
import { mismatch } from './encode-basic.ts'
import { describe, inside, Problem } from '../problem.ts'
import type { StreamWriter } from './stream-writer.ts'
import type { GobType, InterfaceType } from './types.ts'

/** Writes what an interface with a table holds: an object with the registered name and the value. */
export function writeNamed(writer: StreamWriter, given: unknown, { table }: InterfaceType): void {
  if (typeof given !== 'object' || given === null || !('name' in given) || !('value' in given)) {
    throw mismatch(given, 'an object with the name of a registered type and a value')
  }
  const { name, value } = given
  const type = typeof name === 'string' ? table.get(name) : undefined
  if (type === undefined) {
    throw new Problem(
      `names the type ${describe(name)}; the interface knows ${[...table.keys()].join(', ') || 'none'}`,
    )
  }
  try {
    writeInterface(writer, { name: name as string, value, type })
  } catch (thrown) {
    throw inside(thrown, '.value')
  }
}

/** Writes any value as what an interface holds, under the name that Go gives to its type. */
export function writeDynamic(writer: StreamWriter, value: unknown): void {
  writeInterface(writer, dynamicOf(value, writer.types))
}

function writeInterface(
  writer: StreamWriter,
  { name, value, type }: { name: string; value: unknown; type: GobType },
): void {
  if (name === '' || utf8Length(name) > writer.maxNameBytes) {
    throw new Problem(
      `names a registered type by ${utf8Length(name)} bytes; 1 to ${writer.maxNameBytes} are allowed`,
    )
  }
  if (value === null || value === undefined) {
    throw new Problem(
      `is nil inside an interface, under the name ${describe(name)}; leave the interface itself nil`,
    )
  }
  const typeWriter = writer.types.writerOf(type)
  const { kind } = typeWriter.type
  if (kind === 'interface' || kind === 'any')
    throw new Problem('is an interface directly inside an interface')
  writer.text(name)
  writer.int(writer.types.idOf(type))
  const start = writer.open()
  if (kind !== 'struct') writer.byte(0)
  typeWriter.write(writer, value)
  writer.close(start)
}
