import { networkInterfaces } from 'node:os'

/** The addresses of this machine that others may reach, IPv4 first; none where it has only internal ones. */
export function localAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  // A link-local address means nothing without the name of the link.
  const reachable = all.filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
  const of = (family: string) =>
    reachable.filter((one) => one.family === family).map(({ address }) => address)
  return [...of('IPv4'), ...of('IPv6')]
}
