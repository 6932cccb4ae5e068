import { RpcError } from '../../core/error.ts'
import { isJsonObject } from '../json-head/read-json.ts'

/** What a client of geerpc says first. Times are nanoseconds; 0 is none. */
export interface GeerpcOption {
  readonly codecType: string
  readonly connectTimeoutNs: number
  readonly handleTimeoutNs: number
}

/** What tells that somebody speaks geerpc. */
export const magicNumber = 0x3bef5c

/** The members of an object by their names in lower case: Go reads them without regard to case. */
export function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (!isJsonObject(value)) return undefined
  return new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
}

/** @throws RpcError `invalid_argument` that says which member is not what it should be. */
export function readOption(value: unknown): GeerpcOption {
  const members = membersOf(value)
  if (members === undefined) throw new RpcError('invalid_argument', 'the option is no JSON object')
  const magic = members.get('magicnumber')
  if (magic !== magicNumber) {
    const shown = typeof magic === 'number' ? `0x${magic.toString(16)}` : `of type ${typeof magic}`
    throw new RpcError(
      'invalid_argument',
      `the MagicNumber is ${shown}, and should be 0x${magicNumber.toString(16)}`,
    )
  }
  const codecType = members.get('codectype')
  if (typeof codecType !== 'string')
    throw new RpcError('invalid_argument', 'the CodecType of the option is no text')
  return {
    codecType,
    connectTimeoutNs: readTime('ConnectTimeout', members.get('connecttimeout')),
    handleTimeoutNs: readTime('HandleTimeout', members.get('handletimeout')),
  }
}

/** The size of the option that our clients send: see {@link writeOption}. */
export const optionBytes = 512

/**
 * The option as bytes. The original servers read 512 bytes at a time and throw away what comes behind the option in
 * them, so the first call would be lost with it; filled with spaces to exactly that size, there is nothing behind it.
 */
export function writeOption({ codecType, connectTimeoutNs, handleTimeoutNs }: GeerpcOption): Uint8Array {
  const text = JSON.stringify({
    MagicNumber: magicNumber,
    CodecType: codecType,
    ConnectTimeout: connectTimeoutNs,
    HandleTimeout: handleTimeoutNs,
  })
  const bytes = new TextEncoder().encode(text)
  const padded = new Uint8Array(Math.max(optionBytes, bytes.length)).fill(0x20)
  padded.set(bytes.subarray(0, -1))
  padded[padded.length - 1] = 0x7d
  return padded
}

function readTime(name: string, given: unknown): number {
  const value = Number(given ?? 0)
  if (
    (typeof given === 'number' || typeof given === 'bigint' || given === undefined || given === null) &&
    value >= 0
  )
    return value
  throw new RpcError('invalid_argument', `the ${name} of the option is no number of nanoseconds, 0 or more`)
}
