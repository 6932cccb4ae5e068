/** What a histogram tells; times in milliseconds. All 0 where nothing was counted. */
export interface Latency {
  readonly count: number
  readonly meanMs: number
  readonly maxMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  /** How many took up to `[ms, …]`, and longer than the entry before; empty ranges are left out. */
  readonly buckets: readonly (readonly [upToMs: number, count: number])[]
}

// Eight buckets for each doubling: what is reported is at most 12.5 % above the truth. From a microsecond to 36 min.
const perDoubling = 8
const bucketCount = 240

/**
 * Counts times in buckets that grow with the time, so that a nanosecond of work and 2 KB of memory give every
 * percentile. Doubles rather than 32-bit counters: a busy method passes 2^32 calls within half a day.
 */
export class Histogram {
  readonly #counts = new Float64Array(bucketCount)
  #count = 0
  #sumMs = 0
  #maxMs = 0

  add(ms: number): void {
    const time = ms > 0 ? ms : 0
    this.#count++
    this.#sumMs += time
    if (time > this.#maxMs) this.#maxMs = time
    const bucket = bucketOf(time)
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
  }

  read(): Latency {
    const buckets: [number, number][] = []
    this.#counts.forEach((count, bucket) => {
      if (count > 0) buckets.push([Math.min(upperMs(bucket), this.#maxMs), count])
    })
    const at = (share: number) => percentile(buckets, this.#count * share)
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      maxMs: this.#maxMs,
      p50Ms: at(0.5),
      p90Ms: at(0.9),
      p99Ms: at(0.99),
      buckets,
    }
  }
}

function percentile(buckets: readonly (readonly [number, number])[], rank: number): number {
  let seen = 0
  for (const [upToMs, count] of buckets) {
    seen += count
    if (seen >= rank) return upToMs
  }
  return 0
}

function bucketOf(ms: number): number {
  const micros = Math.min(Math.floor(ms * 1000), 2 ** 31 - 1)
  if (micros < perDoubling) return micros
  const exponent = 31 - Math.clz32(micros)
  return (exponent - 2) * perDoubling + ((micros >>> (exponent - 3)) & (perDoubling - 1))
}

function upperMs(bucket: number): number {
  if (bucket < perDoubling) return (bucket + 1) / 1000
  const exponent = Math.floor(bucket / perDoubling) + 2
  return ((perDoubling + (bucket % perDoubling) + 1) * 2 ** (exponent - 3)) / 1000
}
