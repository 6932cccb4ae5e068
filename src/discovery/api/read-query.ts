import type { Query } from '../resolver.ts'
import { readField, readOptionalText, readPairs } from './guards.ts'
import { maxMetadataBytes, maxNameLength } from './limits.ts'

/**
 * Reads a query from data of unknown shape; nothing at all is the query for everything.
 * @throws RpcError `invalid_argument` that names the field.
 */
export function readQuery(value: unknown): Query {
  if (value === undefined || value === null) return {}
  const text = (name: string) =>
    readOptionalText(readField(value, name, 'query'), `query.${name}`, maxNameLength)
  const given = readField(value, 'service', 'query')
  const [service, method, version, protocol, zone] = [
    // The one text that may be empty: it means whatever service has the method.
    given === '' ? '' : text('service'),
    text('method'),
    text('version'),
    text('protocol'),
    text('zone'),
  ]
  const metadata = readPairs(readField(value, 'metadata', 'query'), 'query.metadata', maxMetadataBytes)
  return Object.freeze({
    ...(service !== undefined && { service }),
    ...(method !== undefined && { method }),
    ...(version !== undefined && { version }),
    ...(protocol !== undefined && { protocol }),
    ...(zone !== undefined && { zone }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  })
}

/** The same text for the same query. */
export function queryKey(query: Query): string {
  const metadata = Object.entries(query.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([query.service, query.method, query.version, query.protocol, query.zone, metadata])
}
