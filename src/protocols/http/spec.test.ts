import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { errorCodes, isErrorCode } from '../../core/code.ts'
import { RpcError } from '../../core/error.ts'
import { HttpProblem, type ProblemStatus, statusOf } from './problem.ts'

const spec = readFileSync(join(import.meta.dirname, 'SPEC.md'), 'utf8')

it('the specification has the status of every code', () => {
  const table = new Map(
    [...spec.matchAll(/`([a-z_]+)` \| (\d{3})/g)].map(([, code, status]) => [code, Number(status)]),
  )
  for (const code of errorCodes) assert.equal(table.get(code), statusOf(new RpcError(code, '')), code)
})

it('the specification has the code of every status of HTTP', () => {
  const rows = [...spec.matchAll(/^\| (\d{3}) \| `([a-z_]+)` \|/gm)]
  assert.ok(rows.length >= 12)
  for (const [, status, code] of rows) {
    assert.ok(isErrorCode(code))
    assert.equal(new HttpProblem(Number(status) as ProblemStatus, '').code, code, `status ${status}`)
  }
})
