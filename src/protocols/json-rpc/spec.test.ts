import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { errorCodes } from '../../core/code.ts'
import { codeNumbers } from './errors.ts'

it('SPEC.md has the number of every code', () => {
  const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8')
  for (const code of errorCodes) {
    const row = new RegExp(`^\\| \`${code}\` \\| (.*) \\|$`, 'm').exec(spec)?.[1]
    assert.ok(
      row?.includes(String(codeNumbers[code])),
      `${code}: ${codeNumbers[code]}, the table says ${row}`,
    )
  }
})
