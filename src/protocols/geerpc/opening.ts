import { RpcError } from '../../core/error.ts'
import { showName } from '../../core/names.ts'
import { readJson } from '../json-head/read-json.ts'
import type { GoCodec, Opening } from '../go-rpc/index.ts'
import type { Room } from '../protocol.ts'
import { JsonValues } from './json-values.ts'
import { readOption } from './option.ts'

// An option has some hundred bytes; what is longer is not read to its end.
const maxOptionBytes = 16_384

/** Reads the option that a connection begins with, and chooses what it asks for. */
export function optionOpening(codecs: ReadonlyMap<string, GoCodec>, room: Room): Opening {
  const values = new JsonValues({ maxBytes: maxOptionBytes, maxDepth: 8 })
  return {
    push(chunk) {
      values.push(chunk)
      const found = values.next()
      if (found === undefined) return undefined
      const option = readOption(readJson(values.bytes, found))
      const codec = codecs.get(option.codecType)
      if (codec === undefined) throw unknownCodec(option.codecType, codecs)
      const agreed = { codec: codec.open(room.limits), handleTimeoutNs: option.handleTimeoutNs }
      return { agreed, rest: values.takeRest() }
    },
  }
}

/** The error for a codec that is not in the table. */
export function unknownCodec(name: string, codecs: ReadonlyMap<string, GoCodec>): RpcError {
  return new RpcError(
    'invalid_argument',
    `unknown codec ${showName(name)}; there are: ${[...codecs.keys()].join(', ')}`,
  )
}
