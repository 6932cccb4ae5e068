import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { serverEvents } from './events.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

test('every event that a server logs is in the table', () => {
  const files = readdirSync(new URL('../server/', import.meta.url)).filter((file) =>
    /(?<!\.test)\.ts$/.test(file),
  )
  const logged = files.flatMap((file) =>
    [...read(`../server/${file}`).matchAll(/event: '([^']+)'|#log\('\w+', '([^']+)'/g)].map(
      ([, a, b]) => a ?? b,
    ),
  )
  assert.ok(logged.length > 10)
  for (const event of logged) assert.ok(Object.hasOwn(serverEvents, String(event)), String(event))
})

test('the guide has the same table', () => {
  const rows = Object.entries(serverEvents).map(
    ([event, { level, meaning }]) => `| \`${event}\` | ${level} | ${meaning} |`,
  )
  const guide = read('../../docs/logs.md')
  for (const row of rows) assert.ok(guide.includes(row), row)
})
