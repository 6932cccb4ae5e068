import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { cacheDir, root, tsc } from './checkout.ts'
import { type Block, type Page, parsePage, type Problem } from './docs-page.ts'
import { fileOf, runPage } from './docs-run.ts'

// Compiles and runs the code blocks of the docs. The convention is in docs/contributing.md.

export interface DocsReport {
  /** `page:line: what is wrong`. */
  readonly problems: readonly string[]
  /** From which line on a page was not run, why, and for want of which tool. */
  readonly skipped: readonly { readonly text: string; readonly tool: string }[]
  readonly counts: {
    readonly pages: number
    readonly run: number
    readonly compiled: number
    readonly fragments: number
  }
}

interface Placed {
  readonly path: string
  readonly page: Page
  /** Where its blocks are written and run: below the checkout, so that `farcall` means this package. */
  readonly folder: string
}

/** Checks the pages at `paths`, which are relative to `base`; `work` is emptied first. */
export async function checkDocs(base: string, paths: readonly string[], work: string): Promise<DocsReport> {
  rmSync(work, { recursive: true, force: true })
  const placed = paths.map((path): Placed => {
    const page = parsePage(readFileSync(join(base, path), 'utf8'))
    return { path, page, folder: join(work, path.replace(/\.md$/, '').replaceAll(/[^\w-]+/g, '-')) }
  })
  const problems: string[] = []
  const report = (path: string, found: readonly Problem[]) => {
    for (const { line, message } of found) problems.push(`${path}:${line}: ${message}`)
  }
  for (const one of placed) report(one.path, [...one.page.problems, ...deadLinks(base, one), ...write(one)])
  const errors = compile(work, placed)
  problems.push(...errors.values().flatMap((lines) => lines))
  const skipped: DocsReport['skipped'][number][] = []
  let ran = 0
  for (const { path, page, folder } of placed) {
    if (errors.has(path)) continue
    const run = await runPage(page, folder)
    report(path, run.problems)
    ran += run.ran
    if (run.skipped === undefined) continue
    const { line, message, tool } = run.skipped
    skipped.push({ text: `${path}:${line}: not run from here on: ${message}`, tool })
  }
  const count = (mode: Block['mode']) =>
    placed.flatMap(({ page }) => page.blocks).filter((block) => block.mode === mode).length
  const counts = {
    pages: paths.length,
    run: ran,
    compiled: count('compile'),
    fragments: count('fragment'),
  }
  return { problems, skipped, counts }
}

function deadLinks(base: string, { path, page }: Placed): Problem[] {
  return page.links
    .filter(({ target }) => !existsSync(resolve(base, dirname(path), decodeURI(target))))
    .map(({ target, line }) => ({ line, message: `the link to ${target} leads nowhere` }))
}

// The text is written as it is, so line n of the file is line n of the block.
function write({ page, folder }: Placed): Problem[] {
  const problems: Problem[] = []
  const written = new Set<string>()
  mkdirSync(folder, { recursive: true })
  for (const block of page.blocks) {
    const isCode = block.language === 'ts' && block.mode !== 'fragment'
    if (!isCode && block.file === undefined) continue
    const name = fileOf(block)
    const path = join(folder, name)
    if (written.has(name)) problems.push({ line: block.line, message: `${name} is on this page twice` })
    else if (!path.startsWith(folder))
      problems.push({ line: block.line, message: `${name} is outside of the page's folder` })
    else {
      written.add(name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, block.text)
    }
  }
  return problems
}

/** The errors of the compiler by page, told in lines of the page. One run for all pages. */
function compile(work: string, placed: readonly Placed[]): Map<string, string[]> {
  const byPage = new Map<string, string[]>()
  const withCode = placed.filter(({ page }) =>
    page.blocks.some((b) => b.language === 'ts' && b.mode !== 'fragment'),
  )
  if (withCode.length === 0) return byPage
  // As strict as the checkout; only what is merely shown and not used is no error in an example.
  const compilerOptions = { moduleDetection: 'force', noUnusedLocals: false, noUnusedParameters: false }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['**/*.ts'] }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config))
  const [program, args] = tsc(['-p', work, '--noEmit', '--pretty', 'false'])
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: work, encoding: 'utf8' })
  if (status === 0) return byPage
  let page: string | undefined
  for (const line of (stdout + stderr).split('\n')) {
    const [, file = '', row, message] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(line) ?? []
    const found = withCode.find(({ folder }) => resolve(work, file).startsWith(`${folder}/`))
    if (found !== undefined) page = found.path
    const block = found?.page.blocks.find((b) => join(found.folder, fileOf(b)) === resolve(work, file))
    const text = block === undefined ? line : `${page}:${block.line + Number(row)}: ${message}`
    // What belongs to no block (an error in src/, say) stops every page.
    const stopped = page === undefined ? withCode.map(({ path }) => path) : [page]
    for (const [i, path] of stopped.entries()) {
      const known = byPage.get(path) ?? []
      byPage.set(path, i === 0 && text.trim() !== '' ? [...known, text] : known)
    }
  }
  return byPage
}

if (import.meta.main) {
  const { problems, skipped, counts } = await checkDocs(root, process.argv.slice(2), join(cacheDir, 'docs'))
  for (const text of [...problems, ...skipped.map((one) => one.text)]) console.error(`${text}\n`)
  const { pages, run, compiled, fragments } = counts
  const tools = [...new Set(skipped.map(({ tool }) => tool))].join(', ')
  const partly = skipped.length === 0 ? '' : `; ${skipped.length} in part, without ${tools}`
  console.log(`${pages} pages: ${run} blocks run, ${compiled} compiled only, ${fragments} fragments${partly}`)
  // Where everything is said to be there, a tool that is missing is an error.
  const failed = problems.length > 0 || (skipped.length > 0 && process.env['CI'] !== undefined)
  process.exitCode = failed ? 1 : 0
}
