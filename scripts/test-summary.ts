/** The closing lines of Node's test runner, as numbers. */
export type TestCounts = Record<(typeof countNames)[number], number>

const countNames = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'] as const

/** Reads the closing lines of the `spec` reporter; undefined if the run broke off before them. */
export function readCounts(output: string): TestCounts | undefined {
  const counts: Partial<TestCounts> = {}
  for (const name of countNames) {
    const found = [...output.matchAll(new RegExp(`^ℹ ${name} ([\\d.]+)$`, 'gm'))].at(-1)?.[1]
    if (found === undefined) return undefined
    counts[name] = Number(found)
  }
  return counts as TestCounts
}

export function addCounts(all: readonly TestCounts[]): TestCounts {
  const sum = (name: keyof TestCounts) => all.reduce((total, counts) => total + counts[name], 0)
  return Object.fromEntries(countNames.map((name) => [name, sum(name)])) as TestCounts
}

/** Node's closing lines for the whole, and one line in words. A test that never got to run counts as failed. */
export function formatCounts(counts: TestCounts): string {
  const lines = countNames.map((name) => `ℹ ${name} ${Math.round(counts[name])}`)
  const { pass, fail, cancelled, skipped, todo } = counts
  return [...lines, '', `${pass} passed, ${fail + cancelled} failed, ${skipped + todo} skipped`].join('\n')
}

/** What of the output of a failed run is worth reading: from the list of failures on, if there is one. */
export function failures(output: string): string {
  const at = output.indexOf('\n✖ failing tests:')
  const stopped = output.match(/^Nothing was heard.*\n/m)?.[0] ?? ''
  const running = output.match(/^Interrupted while running:\n[^]*?\n\n/m)?.[0] ?? ''
  return at === -1 ? output : stopped + running + output.slice(at + 1)
}

/** The names of the tests that were skipped, each with its reason if it gave one. */
export function skippedTests(output: string): string[] {
  const lines = [...output.matchAll(/^\s*﹣ (.*?) \([\d.]+ms\)(?: # (.*))?$/gm)]
  return lines.map(([, name, reason]) => (reason === undefined ? `${name}` : `${name} (${reason})`))
}
