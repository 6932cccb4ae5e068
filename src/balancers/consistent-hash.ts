import type { Call } from '../core/call.ts'
import { formatAddress } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import type { Instance } from '../core/instance.ts'
import type { Balancer, BalancerRoom, Candidate, Picker } from './balancer.ts'
import { hashText } from './hash.ts'
import { HashRing, type RingMember } from './hash-ring.ts'
import { p2c } from './p2c.ts'
import { weighed, weightOf } from './usable.ts'

/** How {@link consistentHash} spreads keys. */
export interface ConsistentHashOptions {
  /**
   * How many times the average of its weight an instance may have in flight before calls pass it over; above 1, and
   * Infinity for no such bound. Default 1.25: less moves more calls, more lets a popular key weigh more.
   */
  readonly loadFactor?: number
  /**
   * So many calls in flight are not too many, whatever the average. Default 4: where there are few calls altogether, two
   * at once would be above it, and keys would wander for no good.
   */
  readonly freeCalls?: number
}

/** The entry of an instance's metadata by which it is found again at another address. */
const nameInMetadata = 'hash-key'
// Counting all calls in flight takes time in proportion to the candidates, so of many it is not done at each pick.
const candidatesPerCount = 32
// Where so many points in a row belong to nobody who takes the call, the key stays where it is.
const maxPassedOver = 1_024

/**
 * Calls with the same `key` go to the same instance, also from different clients; where an instance comes or goes, only
 * its share of the keys changes the instance. Shares are in proportion to weights. No instance has more than
 * `loadFactor` times its share of this client's calls in flight (Mirrokni, Thorup and Zadimoghaddam 2016): what would be
 * above it goes to the next on the ring. A call without a key goes where `p2c` sends it.
 * @throws RpcError `invalid_argument` for a factor or number that makes no sense.
 */
export function consistentHash(options: ConsistentHashOptions = {}): Balancer {
  const { loadFactor = 1.25, freeCalls = 4 } = options
  if (!(loadFactor > 1)) throw wrong('loadFactor', loadFactor, 'a number above 1')
  if (!(freeCalls >= 1)) throw wrong('freeCalls', freeCalls, 'a number of at least 1')
  return (candidates, room) => new RingPicker(candidates, room, { loadFactor, freeCalls })
}

interface Member extends RingMember {
  readonly candidate: Candidate
  /** What name and weight were taken from. */
  readonly instance: Instance
}

/** What the next picker goes on from. */
interface Known {
  readonly down: ReadonlySet<Candidate>
  readonly members: readonly Member[]
  readonly ring: HashRing<Member> | undefined
}

const nothing: Known = { down: new Set(), members: [], ring: undefined }

/**
 * Everyone is on the ring who is not known to be down, connected or not: whose a key is does not depend on which
 * connections a client happens to have.
 */
class RingPicker implements Picker {
  readonly #down: ReadonlySet<Candidate>
  readonly #members: readonly Member[]
  readonly #totalWeight: number
  readonly #options: Required<ConsistentHashOptions>
  readonly #keyless: Picker
  /** That of a picker before, until it is asked for. */
  #ring: HashRing<Member> | undefined
  #inFlight = 0
  #picksUntilCount = 0

  constructor(
    candidates: readonly Candidate[],
    room: BalancerRoom,
    options: Required<ConsistentHashOptions>,
  ) {
    const before = room.previous instanceof RingPicker ? room.previous.known() : nothing
    this.#down = new Set(candidates.filter((candidate) => isDown(candidate, before.down)))
    const known = new Map(before.members.map((member) => [member.candidate, member]))
    const members = onRing(candidates, this.#down).map((candidate) => {
      const member = known.get(candidate)
      return member?.instance === candidate.instance ? member : memberOf(candidate)
    })
    this.#members = before.ring?.isOf(members) === true ? before.ring.members : members
    this.#totalWeight = this.#members.reduce((sum, { weight }) => sum + weight, 0)
    this.#options = options
    this.#keyless = p2c(candidates, room)
    this.#ring = before.ring
  }

  known(): Known {
    return { down: this.#down, members: this.#members, ring: this.#ring }
  }

  pick(call: Call): Candidate | undefined {
    if (call.key === undefined) return this.#keyless.pick(call)
    if (this.#members.length < 2) return this.#members[0]?.candidate
    const ring = this.#currentRing()
    const point = ring.find(hashText(call.key, 0))
    this.#picksUntilCount--
    const most = Math.min(ring.size, maxPassedOver)
    for (let passed = 0; passed < most; passed++) {
      const member = ring.ownerAt(point + passed)
      if (this.#takes(member, call)) return member.candidate
    }
    return ring.ownerAt(point).candidate
  }

  // Made when it is needed: of many changes between two calls only the last counts.
  #currentRing(): HashRing<Member> {
    if (this.#ring?.members !== this.#members) this.#ring = new HashRing(this.#members, this.#ring)
    return this.#ring
  }

  #takes({ candidate, weight }: Member, call: Call): boolean {
    if (call.tried?.has(candidate) === true) return false
    const { inFlight } = candidate.load
    if (inFlight < this.#options.freeCalls) return true
    const average = (this.#countInFlight() + 1) / this.#totalWeight
    return inFlight < this.#options.loadFactor * average * weight
  }

  #countInFlight(): number {
    if (this.#picksUntilCount <= 0) {
      this.#picksUntilCount = this.#members.length / candidatesPerCount
      this.#inFlight = this.#members.reduce((sum, { candidate }) => sum + candidate.load.inFlight, 0)
    }
    return this.#inFlight
  }
}

// One that failed is down while it tries to connect again: that it tries is no reason to send it calls.
function isDown(candidate: Candidate, before: ReadonlySet<Candidate>): boolean {
  return candidate.state === 'failing' || (candidate.state === 'connecting' && before.has(candidate))
}

function onRing(candidates: readonly Candidate[], down: ReadonlySet<Candidate>): readonly Candidate[] {
  const wanted = weighed(candidates)
  const up = wanted.filter((candidate) => !down.has(candidate))
  return up.length > 0 ? up : wanted
}

function memberOf(candidate: Candidate): Member {
  const { instance } = candidate
  return { name: nameOf(candidate), weight: weightOf(candidate), candidate, instance }
}

// An id is usually new with each start, an address is not. All addresses, because clients differ in which they use.
function nameOf({ instance, endpoint }: Candidate): string {
  const { metadata, endpoints } = instance
  if (Object.hasOwn(metadata, nameInMetadata)) return metadata[nameInMetadata] as string
  const all = endpoints.length > 0 ? endpoints : [endpoint]
  return [...new Set(all.map(({ address }) => formatAddress(address)))].toSorted().join(' ')
}

function wrong(name: string, given: unknown, expected: string): RpcError {
  return new RpcError('invalid_argument', `${name} must be ${expected}, got ${String(given)}`)
}
