const longest = 64

/** Those of the names that someone may have meant: a letter or two wrong, or another case; the likeliest first. */
export function nearest(name: string, names: readonly string[], limit = 3): string[] {
  if (name.length > longest) return []
  const wanted = name.toLowerCase()
  const allowed = name.length <= 4 ? 1 : 2
  return names
    .filter((candidate) => Math.abs(candidate.length - name.length) <= allowed)
    .map((candidate) => ({ candidate, distance: distance(wanted, candidate.toLowerCase()) }))
    .filter((found) => found.distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, limit)
    .map(({ candidate }) => candidate)
}

// Levenshtein's: how many letters must be put in, left out or changed. One row of the table is enough.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
