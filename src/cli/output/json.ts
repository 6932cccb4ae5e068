import { defaultLimits, jsonCodec } from '../../node.ts'

// The same JSON as on the wire, so that what is printed can be read back, dates and bytes included.
const session = jsonCodec.open({ ...defaultLimits, maxMessageBytes: 2 ** 29, maxDepth: 256 })

/** A value as one line of JSON; what JSON has not is tagged, as the `json` codec does: `{"$bigint":"1"}`. */
export function toJson(value: unknown): string {
  // Nothing is no value of JSON, and `null` is what a pipe expects.
  if (value === undefined) return 'null'
  const out = {
    bytes: new Uint8Array(1024),
    at: 0,
    queued: 0,
    ensure(count: number) {
      if (out.at + count <= out.bytes.length) return
      const grown = new Uint8Array(Math.max(out.bytes.length * 2, out.at + count))
      grown.set(out.bytes)
      out.bytes = grown
    },
  }
  session.encode(value, out)
  return new TextDecoder().decode(out.bytes.subarray(0, out.at))
}

/** Reads what {@link toJson} wrote, or any other JSON. @throws RpcError `invalid_argument` */
export function fromJson(text: string): unknown {
  const bytes = new TextEncoder().encode(text)
  return session.decode(bytes, 0, bytes.length)
}
