import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root, sourceCondition } from './checkout.ts'
import { type Block, outputMatches, type Page, type Problem } from './docs-page.ts'
import { missing, toolEnv } from './docs-tools.ts'

// Time for one block, and for a background block to print its first line. Docs are for readers, so blocks are short.
const blockMs = 30_000

/** What became of the blocks of a page. */
export interface PageRun {
  readonly problems: readonly Problem[]
  /** How many blocks were run or started. */
  readonly ran: number
  /** From which block on nothing was run, and for want of which tool. */
  readonly skipped: (Problem & { readonly tool: string }) | undefined
}

interface Running {
  readonly block: Block
  readonly child: ChildProcess
}

/** Runs the blocks of a page in order, in `folder`; what they left running is stopped at the end. */
export async function runPage(page: Page, folder: string): Promise<PageRun> {
  const problems: Problem[] = []
  let running: readonly Running[] = []
  let ran = 0
  let skipped: PageRun['skipped']
  try {
    for (const [i, block] of page.blocks.entries()) {
      skipped = lackOf(block)
      if (skipped !== undefined) break
      const before = running.find((one) => one.block.terminal === block.terminal)
      if (block.terminal !== undefined && before !== undefined) {
        running = running.filter((one) => one !== before)
        problems.push(...endedEarly(before))
        await stop(before.child, 'SIGINT')
      }
      if (block.mode === 'background' || block.mode === 'run') ran++
      if (block.mode === 'background') {
        const child = start(block, folder)
        running = [...running, { block, child }]
        const failure = await lineOf(child, block.until)
        if (failure !== undefined) problems.push({ line: block.line, message: failure })
      }
      if (block.mode !== 'run') continue
      const next = page.blocks[i + 1]
      const expected = next?.mode === 'output' ? next : undefined
      const failure = await runBlock(block, expected, folder)
      if (failure !== undefined) problems.push({ line: block.line, message: failure })
    }
    problems.push(...running.flatMap(endedEarly))
  } finally {
    await Promise.all(running.map(({ child }) => stop(child, 'SIGTERM')))
  }
  return { problems, ran, skipped }
}

function lackOf({ needs: tool, line }: Block): PageRun['skipped'] {
  const message = tool === undefined ? undefined : missing(tool)
  return tool === undefined || message === undefined ? undefined : { line, message, tool }
}

function endedEarly({ block, child }: Running): Problem[] {
  if (!hasEnded(child)) return []
  const message = `it was to run until it is stopped, or the page ends, and ended (${child.exitCode})`
  return [{ line: block.line, message }]
}

/** The name of the file that a ts block becomes. */
export function fileOf(block: Block): string {
  return block.file ?? `line-${block.line}.ts`
}

async function runBlock(
  block: Block,
  expected: Block | undefined,
  folder: string,
): Promise<string | undefined> {
  const child = start(block, folder)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const ended = new Promise((resolve) => child.on('close', resolve))
  const timeout = setTimeout(() => kill(child, 'SIGKILL'), blockMs)
  await ended
  clearTimeout(timeout)
  if (child.signalCode !== null) return `it did not end in ${blockMs / 1000} s\n${stdout}${stderr}`
  if (child.exitCode !== 0) return `it failed (exit code ${child.exitCode})\n${stdout}${stderr}`
  if (expected === undefined || outputMatches(expected.text, stdout)) return undefined
  return `it printed\n${stdout.trimEnd()}\nand the page says (line ${expected.line})\n${expected.text.trimEnd()}`
}

// In a process group of its own, so that the children of a shell can be stopped with it.
function start(block: Block, folder: string): ChildProcess {
  const [program, args] =
    block.language === 'ts'
      ? [process.execPath, [sourceCondition, fileOf(block)]]
      : ['bash', ['-euo', 'pipefail', '-c', block.text]]
  const { NODE_TEST_CONTEXT: _, ...env } = toolEnv(process.env)
  const path = [farcallFolder(folder), join(root, 'node_modules', '.bin'), env['PATH'] ?? ''].join(delimiter)
  const NODE_OPTIONS = [env['NODE_OPTIONS'], sourceCondition].filter(Boolean).join(' ')
  return spawn(program, args, {
    cwd: folder,
    env: { ...env, PATH: path, NODE_OPTIONS, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

// A `farcall` for PATH that runs the checkout, as the installed program would.
function farcallFolder(folder: string): string {
  const bin = join(folder, '.bin')
  const shim = join(bin, 'farcall')
  mkdirSync(bin, { recursive: true })
  writeFileSync(
    shim,
    `#!/bin/sh\nexec '${process.execPath}' ${sourceCondition} '${join(root, 'src/cli/main.ts')}' "$@"\n`,
  )
  chmodSync(shim, 0o755)
  return bin
}

/** Waits for a line on stdout or stderr, with this text if there is one; returns what went wrong. */
function lineOf(child: ChildProcess, text = ''): Promise<string | undefined> {
  return new Promise((resolve) => {
    let printed = ''
    const wanted = text === '' ? 'nothing' : `no line with '${text}'`
    const timeout = setTimeout(
      () => settle(`it printed ${wanted} in ${blockMs / 1000} s\n${printed}`),
      blockMs,
    )
    const settle = (failure: string | undefined) => {
      clearTimeout(timeout)
      resolve(failure)
    }
    const onData = (chunk: string) => {
      printed += chunk
      const whole = printed.slice(0, printed.lastIndexOf('\n') + 1)
      if (whole !== '' && whole.includes(text)) settle(undefined)
    }
    child.stdout?.setEncoding('utf8').on('data', onData)
    child.stderr?.setEncoding('utf8').on('data', onData)
    child.on('close', (code) =>
      settle(`it was to run until it is stopped, or the page ends, and ended (${code})\n${printed}`),
    )
  })
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = new Promise((resolve) => child.on('close', resolve))
  kill(child, signal)
  const timeout = setTimeout(() => kill(child, 'SIGKILL'), 10_000)
  await ended
  clearTimeout(timeout)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch {
    // It ended in the meantime.
  }
}
