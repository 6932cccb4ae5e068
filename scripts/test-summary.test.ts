import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { steps, select } from './steps.ts'
import { addCounts, failures, formatCounts, readCounts, skippedTests } from './test-summary.ts'

/** What Node's runner prints for a file. */
function runTests(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'farcall-summary-'))
  try {
    const file = join(folder, 'a.test.mjs')
    writeFileSync(file, `import { test } from 'node:test'\n${source}`)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    return spawnSync(process.execPath, ['--test', '--test-reporter=spec', file], { encoding: 'utf8', env })
      .stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const output = runTests(`
test('good', () => {})
test('bad', () => { throw new Error('as it should') })
test('left out', { skip: 'no python3' }, () => {})
`)

test('the counts of a real run are read and added up', () => {
  const counts = readCounts(output)
  assert.ok(counts)
  assert.equal(counts.tests, 3)
  const closing = formatCounts(addCounts([counts, counts]))
  assert.match(closing, /^ℹ tests 6$/m)
  assert.match(closing, /\n2 passed, 2 failed, 2 skipped$/)
})

test('a run that broke off has no counts', () => {
  assert.equal(readCounts('✔ good (1ms)\n'), undefined)
})

test('of a failed run, the failures are shown', () => {
  assert.match(failures(output), /^✖ failing tests:[^]*as it should/)
  assert.equal(failures('SyntaxError'), 'SyntaxError')
})

test('skipped tests are named with their reason', () => {
  assert.deepEqual(skippedTests(output), ['left out (no python3)'])
})

test('words select steps, with what they need, and paths narrow them', () => {
  const names = (words: string[]) => select(words).selected.map(({ name }) => name)
  assert.equal(names([]).length, steps.length)
  assert.deepEqual(names(['package']), ['build', 'package'])
  assert.deepEqual(select(['unit', './src/core']).paths, ['src/core'])
  assert.deepEqual(names(['src/core']), ['unit', 'e2e', 'docs'])
})
