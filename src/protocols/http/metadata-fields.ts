import { Metadata } from '../../core/metadata.ts'
import type { HttpFields } from '../http-route.ts'
import { HttpProblem } from './problem.ts'

/** Metadata that has a field of its own: the standards' names for it. */
export const standardNames: ReadonlySet<string> = new Set([
  'authorization',
  'traceparent',
  'tracestate',
  'baggage',
])

/** What comes before the name of any other metadata: of a request or the head of a reply; of what follows a reply. */
export const metadataPrefixes = { head: 'farcall-meta-', trailer: 'farcall-trailer-' } as const

/** Metadata as fields. Values hold visible ASCII alone: the rest, and `%`, is percent-encoded. */
export function* writeMetadata(
  metadata: Metadata,
  prefix: string,
  standard: ReadonlySet<string> = standardNames,
): Generator<readonly [string, string]> {
  for (const [name, value] of metadata) {
    yield standard.has(name) ? [name, encodeValue(value, false)] : [prefix + name, encodeValue(value, true)]
  }
}

/**
 * The metadata among the fields of a message; undefined where there is none.
 * @throws HttpProblem 400 for a name or value that metadata cannot have.
 */
export function readMetadata(
  fields: HttpFields,
  prefix: string,
  standard: ReadonlySet<string> = standardNames,
): Metadata | undefined {
  let metadata: Metadata | undefined
  for (const [field, value] of fields) {
    const name = standard.has(field) ? field : nameAfter(field, prefix)
    if (name === undefined) continue
    if (name !== field && standard.has(name)) {
      throw new HttpProblem(400, `send '${name}' as a field of that name, not as '${prefix}${name}'`)
    }
    metadata ??= new Metadata()
    try {
      metadata.set(name, name === field ? value : decodeValue(value))
    } catch (thrown) {
      throw new HttpProblem(400, `the field '${field.slice(0, 64)}': ${(thrown as Error).message}`)
    }
  }
  return metadata
}

function nameAfter(field: string, prefix: string): string | undefined {
  return field.startsWith(prefix) ? field.slice(prefix.length) : undefined
}

function encodeValue(value: string, percent: boolean): string {
  const unsafe = percent ? /[^!-$&-~ ]|^ | $/gu : /[^!-~ ]/gu
  return value
    .toWellFormed()
    .replace(unsafe, (character) => (character === ' ' ? '%20' : encodeURIComponent(character)))
}

// A `%` that encodes nothing is itself, so that people need not know of the encoding.
function decodeValue(value: string): string {
  if (!/^[ -~]*$/.test(value))
    throw new TypeError('it should be visible ASCII; percent-encode the rest as UTF-8')
  return value.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })
}
