import type { Balancer } from './balancer.ts'
import { usable } from './usable.ts'

/**
 * One candidate after the other. It starts anywhere: a thousand clients that start together would otherwise all send
 * their first call to the same server.
 */
export const roundRobin: Balancer = (candidates, room) => {
  const among = usable(candidates)
  let next = Math.floor(room.random() * among.length)
  return {
    pick() {
      const picked = among[next]
      next = next + 1 < among.length ? next + 1 : 0
      return picked
    },
  }
}
