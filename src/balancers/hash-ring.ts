import { hashText, mix } from './hash.ts'

/** Who stands on a ring. It is the same member on two rings if it is the same object. */
export interface RingMember {
  /** What its points are made from. Two with one name share them, and the first gets the keys. */
  readonly name: string
  /** Its share of the ring beside the others'; above 0. */
  readonly weight: number
}

// A member of weight 1 has so many points, and a key looks for one from so many places. Shares then differ from what
// they should be by some 8 %; with a single place that takes 150 points.
const pointsPerWeight = 32
const places = 4
// Beyond this there are fewer points for the same weight, so that no weights make a ring of more than some megabytes.
const maxPoints = 1 << 19
const golden = 0x9e3779b9

/**
 * A ring of hashes (Karger 1997). Each member has points on it, as many as its weight says. A key has a few places on
 * it, and belongs to the point that comes soonest after one of them (multi-probe, Appleton and O'Reilly 2015). So where
 * a member comes, goes or changes its weight, only keys that it gets or gives change their owner.
 *
 * Made from a ring that has most of the members already, it takes the time of a copy.
 */
export class HashRing<M extends RingMember> {
  readonly members: readonly M[]
  /** Points for a weight of 1. */
  readonly #unit: number
  readonly #points: Points
  /** The first point in or behind each of the equal parts into which the ring is cut: there a search begins. */
  readonly #firsts: Uint32Array
  readonly #shift: number

  constructor(members: readonly M[], like?: HashRing<M>) {
    this.members = members
    this.#unit = pointsPerUnit(members)
    const isLike = like !== undefined && like.#unit === this.#unit
    const held = isLike ? like.#points : noPoints
    const holders = isLike ? like.members : []
    const fresh = new Map(members.map((member, index) => [member, index]))
    const moved = Int32Array.from(holders, (member) => fresh.get(member) ?? -1)
    for (const member of holders) fresh.delete(member)
    this.#points = merge(held, moved, packedPoints(fresh, this.#unit))
    // Four points or fewer in a part, mostly; 32 would be no shift at all.
    this.#shift = Math.min(31, 34 - Math.ceil(Math.log2(this.size)))
    this.#firsts = firstPoints(this.#points.positions, this.#shift)
  }

  /** Whether it is the ring of exactly these. */
  isOf(members: readonly M[]): boolean {
    return members.length === this.members.length && members.every((member, i) => member === this.members[i])
  }

  /** How many points there are. */
  get size(): number {
    return this.#points.positions.length
  }

  /** The point that a key belongs to, by its hash. There must be one. */
  find(hash: number): number {
    const { positions } = this.#points
    let found = 0
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < places; i++) {
      const place = mix(hash + Math.imul(i, golden))
      let at = this.#firsts[place >>> this.#shift] as number
      while (at < positions.length && (positions[at] as number) < place) at++
      if (at === positions.length) at = 0
      const distance = ((positions[at] as number) - place) >>> 0
      if (distance < least) {
        least = distance
        found = at
      }
    }
    return found
  }

  /** Whose the point is. Counted on beyond the last one it begins with the first again. */
  ownerAt(point: number): M {
    const { owners } = this.#points
    return this.members[owners[point % owners.length] as number] as M
  }
}

/** Where points are, in order, and the index of the member that has each. */
interface Points {
  readonly positions: Uint32Array
  readonly owners: Uint32Array
}

const noPoints: Points = {
  positions: /* @__PURE__ */ new Uint32Array(),
  owners: /* @__PURE__ */ new Uint32Array(),
}

// A power of two, so that it is another one seldom: then nearly all keys move.
function pointsPerUnit(members: readonly RingMember[]): number {
  const total = members.reduce((sum, { weight }) => sum + weight, 0)
  let unit = pointsPerWeight
  while (total * unit > maxPoints) unit /= 2
  return unit
}

// Position and owner in one number, because numbers are sorted fast. 21 bits hold any owner, and 53 are exact.
const ownerSpan = 2 ** 21

function packedPoints(members: ReadonlyMap<RingMember, number>, unit: number): Float64Array {
  const counts = [...members.keys()].map(({ weight }) => Math.max(1, Math.round(weight * unit)))
  const packed = new Float64Array(counts.reduce((sum, count) => sum + count, 0))
  let at = 0
  let next = 0
  for (const [{ name }, owner] of members) {
    const start = hashText(name, 1)
    const step = hashText(name, 2) | 1
    const end = at + (counts[next++] as number)
    for (let i = 0; at < end; i++) packed[at++] = mix(start + Math.imul(i, step)) * ownerSpan + owner
  }
  return packed.sort()
}

/** The points of a ring whose owners have moved to other indexes, or away (-1), and those that have come. */
function merge(held: Points, moved: Int32Array, come: Float64Array): Points {
  const kept = held.owners.reduce((count, owner) => ((moved[owner] as number) < 0 ? count : count + 1), 0)
  const positions = new Uint32Array(kept + come.length)
  const owners = new Uint32Array(kept + come.length)
  let from = 0
  let to = 0
  const keepBefore = (limit: number) => {
    for (; from < held.positions.length && (held.positions[from] as number) < limit; from++) {
      const owner = moved[held.owners[from] as number] as number
      if (owner < 0) continue
      positions[to] = held.positions[from] as number
      owners[to++] = owner
    }
  }
  for (const point of come) {
    const position = Math.floor(point / ownerSpan)
    keepBefore(position)
    positions[to] = position
    owners[to++] = point % ownerSpan
  }
  keepBefore(Number.POSITIVE_INFINITY)
  return { positions, owners }
}

function firstPoints(positions: Uint32Array, shift: number): Uint32Array {
  const firsts = new Uint32Array(2 ** (32 - shift)).fill(positions.length)
  let part = 0
  for (let at = 0; at < positions.length; at++) {
    for (const end = (positions[at] as number) >>> shift; part <= end; part++) firsts[part] = at
  }
  return firsts
}
