import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startProgram } from './support/process.ts'

const demo = (...args: string[]) => startProgram('../examples/demo/main.ts', args)

it('the demo ends by itself, and every call was right', async () => {
  await using running = demo('--once')
  await running.line(/killed {3}birch/)
  await running.line(/back {5}birch/)
  await running.line(/All right\. \d+ results and \d+ calls under load/)
  const { code } = await new Promise<{ code: number | null }>((resolve) => {
    if (running.child.exitCode !== null) resolve({ code: running.child.exitCode })
    else running.child.once('exit', (ended) => resolve({ code: ended }))
  })
  assert.equal(code, 0, running.output)
  assert.doesNotMatch(running.output, /\u001b/)
})

it('stopped in the middle, it leaves no process behind', async () => {
  const running = demo()
  const [, pid = ''] = await running.line(/cedar .* pid (\d+)/)
  await running.line(/^2 {2}/m)
  const { code } = await running.stop('SIGINT')
  assert.equal(code, 130)
  assert.throws(() => process.kill(Number(pid), 0), /ESRCH/)
})
