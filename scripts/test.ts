import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, root } from './checkout.ts'
import { inputsOf, type Step, select, steps } from './steps.ts'
import {
  addCounts,
  failures,
  formatCounts,
  readCounts,
  skippedTests,
  type TestCounts,
} from './test-summary.ts'

// `npm test`: all steps in order. It goes on after a failure, so that one run tells everything.

type Result = { step: Step; status: 'passed' | 'failed' | 'empty'; counts?: TestCounts }

// A single test may take a minute (--test-timeout), so silence for longer means that something hangs.
const silenceMs = 150_000

async function runStep(step: Step, paths: readonly string[], before: readonly Result[]): Promise<Result> {
  const needed = step.needs?.find((name) => before.some((r) => r.step.name === name && r.status !== 'passed'))
  const files = inputsOf(step, paths)
  if (step.inputs !== undefined && files.length === 0) {
    const where =
      paths.length === 0 ? step.inputs.join(', ') : `${step.inputs.join(', ')} below ${paths.join(', ')}`
    console.log(`– ${step.name.padEnd(13)} nothing to check: there is no ${where}`)
    return { step, status: 'empty' }
  }
  if (needed !== undefined) {
    console.log(`✖ ${step.name.padEnd(13)} not run: it needs the step ${needed}`)
    return { step, status: 'failed' }
  }
  const startedAt = performance.now()
  const { code, output } = await execute(...step.command(files), step.counts === true)
  const counts = step.counts ? readCounts(output) : undefined
  const passed = code === 0 && (!step.counts || (counts !== undefined && counts.tests > 0))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const note = counts ? `${counts.pass} of ${counts.tests} tests` : passed ? lastLine(output) : ''
  console.log(`${passed ? '✔' : '✖'} ${step.name.padEnd(13)} ${seconds.padStart(5)} s  ${note}`.trimEnd())
  if (step.counts) for (const skipped of skippedTests(output)) console.log(`    skipped: ${skipped}`)
  if (!passed) explain(step, paths, output)
  return { step, status: passed ? 'passed' : 'failed', ...(counts && { counts }) }
}

function execute(
  program: string,
  args: string[],
  watched: boolean,
): Promise<{ code: number; output: string }> {
  // Below a test of its own, Node's runner would report to that one. Colours are for terminals; this is read by us.
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: _color, ...env } = process.env
  const child = spawn(program, args, {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: string[] = []
  const onSilence = () => {
    chunks.push(`\nNothing was heard for ${silenceMs / 1000} s, so the run was stopped.\n`)
    // Interrupted, Node's runner names the files that hang.
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
  }
  let silence = setTimeout(onSilence, silenceMs)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      chunks.push(chunk)
      clearTimeout(silence)
      if (watched) silence = setTimeout(onSilence, silenceMs)
    })
  }
  return new Promise((resolve) => {
    const finish = (code: number) => {
      clearTimeout(silence)
      resolve({ code, output: chunks.join('') })
    }
    child.on('error', (error) => {
      chunks.push(String(error))
      finish(1)
    })
    child.on('close', (code) => finish(code ?? 1))
  })
}

function explain(step: Step, paths: readonly string[], output: string): void {
  const text = step.counts ? failures(output) : output
  console.log(text.trimEnd().replace(/^(?=.)/gm, '    '))
  if (step.counts) {
    mkdirSync(cacheDir, { recursive: true })
    writeFileSync(join(cacheDir, `${step.name}.log`), output)
    console.log(`    all of its output: .cache/${step.name}.log`)
  }
  console.log(`    again: npm test -- ${[step.name, ...paths].join(' ')}\n`)
}

function lastLine(output: string): string {
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  return line.length <= 100 ? line : ''
}

const { selected, paths } = select(process.argv.slice(2))
const unknown = paths.find((path) => selected.every((step) => inputsOf(step, [path]).length === 0))
if (unknown !== undefined) {
  console.error(`'${unknown}' is neither a step nor where one finds something to check. The steps:`)
  for (const { name, about } of steps) console.error(`  ${name.padEnd(13)} ${about}`)
  process.exit(2)
}
const results: Result[] = []
for (const step of selected) results.push(await runStep(step, paths, results))

const counted = results.flatMap(({ counts }) => counts ?? [])
const names = (status: Result['status']) => results.filter((r) => r.status === status).map((r) => r.step.name)
const parts = [`${names('passed').length} of ${results.length} steps passed`]
if (names('failed').length > 0) parts.push(`failed: ${names('failed').join(', ')}`)
if (names('empty').length > 0) parts.push(`nothing to check: ${names('empty').join(', ')}`)
console.log(`\n${parts.join('; ')}\n`)
if (counted.length > 0) console.log(formatCounts(addCounts(counted)))
process.exitCode = names('failed').length > 0 || names('passed').length === 0 ? 1 : 0
