/** One address of an instance, and what is spoken there. */
export interface Place {
  /** Without a protocol: `tcp://10.0.0.5:8089`. */
  readonly address: string
  /** In the order in which the instance names them, and so best first. */
  readonly protocols: readonly string[]
  /** Its first endpoint: `tcp://10.0.0.5:8089`, or `geerpc+tcp://10.0.0.5:8089` where ours is not the first. */
  readonly best: string
}

/**
 * Endpoints as they are written, by their addresses: a server has one endpoint for each protocol that it speaks, mostly
 * all at one address. What is no endpoint is an address of its own, for a registry may know more than we do.
 */
export function placesOf(endpoints: readonly string[]): readonly Place[] {
  const places = new Map<string, { protocols: string[]; best: string }>()
  for (const text of endpoints) {
    const [, protocol = 'farcall', address = text] = /^([a-z][a-z0-9-]*)\+([a-z]+:.*)$/.exec(text) ?? []
    const place = places.get(address)
    if (place === undefined) places.set(address, { protocols: [protocol], best: text })
    else if (!place.protocols.includes(protocol)) place.protocols.push(protocol)
  }
  return [...places].map(([address, place]) => ({ address, ...place }))
}

/** Where an instance is, for one line of a log: each address once, by the best that is spoken there. */
export function showPlaces(endpoints: readonly string[]): string {
  return placesOf(endpoints)
    .map(({ best }) => best)
    .join(', ')
}
