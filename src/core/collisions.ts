import { RpcError } from './error.ts'

// Fewer cannot collide enough to matter.
const harmless = 256
/** A key of a fair table is compared with about one other; an unlucky one with a few. */
const maxComparisonsPerKey = 32

const scratch = new DataView(new ArrayBuffer(8))

/**
 * Refuses keys for a Map or Set that were chosen so that inserting them takes quadratic time: 32,000 such numbers, in
 * 160 KB, stop V8 for a second, since its hash of numbers has no secret. This counts, with the same hash, how many
 * others each key would be compared with. Should an engine hash in another way, the count finds fair keys fair still.
 * Strings and objects are hashed with a secret, and are passed over.
 * @throws RpcError `resource_exhausted`.
 */
export function refuseCollisions(keys: readonly unknown[]): void {
  // A table grows by doubling; keys could collide while it is small and be spread when it is large.
  for (let size = harmless * 2; size < keys.length * 2; size *= 2) {
    const count = Math.min(size, keys.length)
    if (count <= harmless) return
    if (comparisons(keys, count, size / 2) > count * maxComparisonsPerKey) {
      throw new RpcError(
        'resource_exhausted',
        'the keys of a Map or Set are equal too often, or chosen to collide',
      )
    }
  }
}

/** How many comparisons inserting the first `count` keys into that many buckets takes. */
function comparisons(keys: readonly unknown[], count: number, buckets: number): number {
  const filled = new Uint32Array(buckets)
  let total = 0
  for (let i = 0; i < count; i++) {
    const key = keys[i]
    let hash: number
    if (typeof key === 'number') hash = (key | 0) === key ? hashInteger(key) : hashDouble(key)
    else if (typeof key === 'bigint') hash = hashBigint(key)
    else continue
    const bucket = hash & (buckets - 1)
    total += filled[bucket] as number
    filled[bucket] = (filled[bucket] as number) + 1
  }
  return total
}

/** V8's ComputeUnseededHash (a mix by Thomas Wang). */
function hashInteger(key: number): number {
  let hash = (~key + (key << 15)) | 0
  hash ^= hash >>> 12
  hash = (hash + (hash << 2)) | 0
  hash ^= hash >>> 4
  hash = Math.imul(hash, 2057)
  return hash ^ (hash >>> 16)
}

function hashDouble(key: number): number {
  scratch.setFloat64(0, key)
  return hashLong(scratch.getUint32(0), scratch.getUint32(4))
}

/** V8 looks at the lowest 64 bits of the magnitude alone. */
function hashBigint(key: bigint): number {
  scratch.setBigUint64(0, key < 0n ? -key : key)
  return hashLong(scratch.getUint32(0), scratch.getUint32(4))
}

/** V8's ComputeLongHash: the same for 64 bits, of which the lowest 30 are used. */
function hashLong(high: number, low: number): number {
  // hash = ~hash + (hash << 18)
  let sum = (~low >>> 0) + ((low << 18) >>> 0)
  let h = (~high + ((high << 18) | (low >>> 14)) + (sum > 0xffffffff ? 1 : 0)) >>> 0
  let l = sum >>> 0
  // hash ^= hash >>> 31
  l = (l ^ ((h << 1) | (l >>> 31))) >>> 0
  h = (h ^ (h >>> 31)) >>> 0
  // hash *= 21
  sum = l * 21
  h = (Math.imul(h, 21) + Math.floor(sum / 0x1_0000_0000)) >>> 0
  l = sum >>> 0
  // hash ^= hash >>> 11
  l = (l ^ ((h << 21) | (l >>> 11))) >>> 0
  h = (h ^ (h >>> 11)) >>> 0
  // hash += hash << 6
  sum = l + ((l << 6) >>> 0)
  h = (h + ((h << 6) | (l >>> 26)) + (sum > 0xffffffff ? 1 : 0)) >>> 0
  l = sum >>> 0
  // hash ^= hash >>> 22
  return l ^ ((h << 10) | (l >>> 22))
}
