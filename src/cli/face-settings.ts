import type { FacesOptions } from '../node.ts'
import { checkKnown } from './known-names.ts'
import { readText } from './settings/read.ts'
import type { ResolvedSettings } from './settings/resolve.ts'
import { pairsOf, textsOf } from './settings/typed.ts'
import { UsageError } from './usage-error.ts'

const faces = ['json', 'header', 'protobuf'] as const

/**
 * How a registry is to answer the programs of the older systems; false for not at all.
 * @throws UsageError for the name of a registry that there is not, or a lease that is no number.
 */
export function facesOf(settings: ResolvedSettings): FacesOptions | false {
  const names = textsOf(settings, 'faces')
  for (const name of names) checkKnown('older registry', name, [...faces, 'none'])
  if (names.includes('none') && names.length > 1)
    throw new UsageError(`--faces says none, and also ${names.filter((name) => name !== 'none').join(', ')}`)
  const leases = pairsOf(settings, 'leases')
  for (const name of Object.keys(leases)) checkKnown('older registry', name, faces)
  if (!faces.some((face) => names.includes(face))) return false
  const own = faces.map((face) => {
    if (!names.includes(face)) return [face, false] as const
    const lease = leases[face]
    return [face, lease === undefined ? {} : { leaseMs: readText('number', lease, `--lease ${face}`) }]
  })
  return { ...Object.fromEntries(own), allow: textsOf(settings, 'allow') }
}
