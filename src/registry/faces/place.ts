import { isWildcardHost } from '../../core/endpoint.ts'
import type { RpcError } from '../../core/error.ts'
import { showName } from '../../core/names.ts'
import type { Peer } from '../../core/peer.ts'
import { invalid, readPort, readText } from '../../discovery/api/guards.ts'
import { seenHost } from '../seen-host.ts'

/** A port of a machine, as others dial it. */
export interface Place {
  readonly host: string
  readonly port: number
}

// The longest name that DNS has.
const maxHostLength = 253

/**
 * Reads where a peer says that it can be reached. Older servers say `0.0.0.0`, `::` or nothing where they listen at every
 * address: that stands for the host from which the peer calls. Two spellings of one address give the same place.
 * @throws RpcError `invalid_argument` that says what is wrong.
 */
export function readPlace(given: { host: unknown; port: unknown }, peer: Peer | undefined): Place {
  const port = readPort(given.port, 'port')
  return { host: readHost(given.host) ?? hostOf(peer), port }
}

/** Reads `host:port`, IPv6 in brackets; otherwise as {@link readPlace}. */
export function readHostPort(text: string, peer: Peer | undefined): Place {
  const match = /^(\[[^\]]+\]|[^:]*):([^:]*)$/.exec(text)
  if (match === null) {
    throw invalid('the address', `should end in host:port, IPv6 as [fd00::5]:port, got ${showName(text)}`)
  }
  return readPlace({ host: match[1], port: match[2] }, peer)
}

/** The host in its usual form; undefined for every address of a machine. */
function readHost(value: unknown): string | undefined {
  const given = value === '' ? '' : readText(value, 'host', maxHostLength)
  const host = given.replace(/^\[(.+)\]$/, '$1').toLowerCase()
  if (host === '' || isWildcardHost(host)) return undefined
  if (host.includes(':')) return readIpv6(host)
  // What ends in a number is an address, or what some programs take for one: 10.1, 0x7f.1, 010.0.0.1.
  if (/(^|\.)(\d+|0x[0-9a-f]*)\.?$/.test(host)) return readIpv4(host)
  if (/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/.test(host)) return host
  throw noHost(host, 'a name of letters, digits and -, an IPv4 or an IPv6 address')
}

function readIpv4(host: string): string {
  const parts = host.split('.')
  const isWhole = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))
  if (!isWhole || parts.some((part) => Number(part) > 255)) throw noHost(host, 'four numbers up to 255')
  const first = Number(parts[0])
  // 0 is "this network", from 224 on are groups, and what is reserved.
  if (first === 0 || first >= 224) throw noHost(host, 'the address of one machine')
  return host
}

function readIpv6(host: string): string {
  if (host.includes('%')) {
    throw noHost(host, 'an address without an interface (%), which means something on one machine alone')
  }
  let canonical: string
  try {
    canonical = new URL(`http://[${host}]/`).hostname.slice(1, -1)
  } catch {
    throw noHost(host, 'an IPv6 address')
  }
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical)
  if (mapped !== null) return readIpv4(toIpv4(mapped[1] as string, mapped[2] as string))
  if (/^ff[0-9a-f]{2}:/.test(canonical)) throw noHost(host, 'the address of one machine, not of a group')
  return canonical
}

function toIpv4(high: string, low: string): string {
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`
}

function hostOf(peer: Peer | undefined): string {
  const seen = seenHost(peer)
  const host = seen === undefined ? undefined : readHost(seen)
  if (host !== undefined) return host
  throw invalid(
    'host',
    'stands for every address of a machine, and this connection does not show which: name one',
  )
}

function noHost(host: string, expected: string): RpcError {
  return invalid('host', `should be ${expected}, got ${showName(host)}`)
}
