import type { Balancer } from './balancer.ts'
import { usable } from './usable.ts'
import { weightedIndex } from './weighted.ts'

/** Any of the candidates, in proportion to their instances' weights. */
export const random: Balancer = (candidates, room) => {
  const among = usable(candidates)
  const draw = weightedIndex(
    among.map(({ instance }) => instance.weight),
    room.random,
  )
  return { pick: () => (among.length === 0 ? undefined : among[draw()]) }
}
