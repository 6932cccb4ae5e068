import type { ServiceDescription } from '../../core/describe.ts'
import { isInternalName } from '../../core/names.ts'

/** The name by which a client asks what there is to call. */
export const listMethod = 'all_your_methods'

/**
 * What a server answers to it: the names under which methods can be called, each with its parameters as people write
 * them, `(a, b, c=10)`. If one service is meant by bare names it is that service's; else all, and a name that several
 * services have is written with its service, for without it nobody would be meant. Streams cannot be called this way.
 */
export function listMethods(services: readonly ServiceDescription[]): Map<string, string> {
  const bare = services.find((service) => service.bare === true)
  const listed = bare === undefined ? services.filter(({ name }) => !isInternalName(name)) : [bare]
  const found = listed.flatMap(({ name: service, methods }) =>
    methods
      .filter(({ input, output }) => input === 'values' && output === 'value')
      .map(({ name, signature }) => ({ service, name, parameters: signature.slice(name.length) })),
  )
  const counts = new Map<string, number>()
  for (const { name } of found) counts.set(name, (counts.get(name) ?? 0) + 1)
  return new Map(
    found.map(({ service, name, parameters }) => [
      counts.get(name) === 1 ? name : `${service}.${name}`,
      parameters,
    ]),
  )
}
