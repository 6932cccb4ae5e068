import { BlockList, isIP } from 'node:net'
import { RpcError } from '../../core/error.ts'
import { showName } from '../../core/names.ts'

/**
 * Makes a check of whether a host is in one of the ranges: `10.0.0.0/8`, `fd00::/8`, or a single address.
 * @throws RpcError `invalid_argument` for what is no range.
 */
export function createAllowList(ranges: readonly string[]): (host: string) => boolean {
  const list = new BlockList()
  for (const range of ranges) add(list, range)
  return (host) => {
    // The interface by which a link-local address is reached is no part of it.
    const [address = ''] = host.split('%')
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}

function add(list: BlockList, range: string): void {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const length = bits === undefined ? most : Number(bits)
  if (version === 0 || length > most) {
    throw new RpcError(
      'invalid_argument',
      `faces.allow: ${showName(range)} is no range of addresses; for example 10.0.0.0/8, fd00::/8 or 192.0.2.7, or private`,
    )
  }
  list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
}
