import type { Fields } from './fields.ts'
import { HttpProblem } from './problem.ts'

/** How the end of a body is told. */
export type Framing =
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** It ends with the connection; of responses alone. */
  | { readonly kind: 'until-end' }

export const noBody: Framing = { kind: 'length', length: 0 }

/**
 * How the body of a message is framed, as its fields say; undefined where they say nothing. Whatever two programs on
 * the way of a message could understand differently is refused.
 * @throws HttpProblem 400 for fields that contradict each other or make no sense, 501 for a coding other than chunked.
 */
export function readFraming(fields: Fields, version: string): Framing | undefined {
  const coding = fields.get('transfer-encoding')
  const length = fields.get('content-length')
  if (coding !== undefined) {
    if (length !== undefined) {
      throw new HttpProblem(400, 'there are both content-length and transfer-encoding; send one of them')
    }
    if (version === '1.0') throw new HttpProblem(400, 'HTTP/1.0 has no transfer-encoding')
    if (coding.toLowerCase() !== 'chunked') {
      throw new HttpProblem(501, "the only transfer-encoding that is understood is 'chunked'")
    }
    return { kind: 'chunked' }
  }
  if (length === undefined) return undefined
  if (!/^\d{1,15}$/.test(length)) throw new HttpProblem(400, 'content-length should be one number')
  return { kind: 'length', length: Number(length) }
}
