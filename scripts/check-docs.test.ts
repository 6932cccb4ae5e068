import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkDocs } from './check-docs.ts'
import { cacheDir } from './checkout.ts'
import { outputMatches, parsePage } from './docs-page.ts'

/** Checks one page, written with ''' where Markdown has a fence. */
async function check(markdown: string): Promise<readonly string[]> {
  const base = mkdtempSync(join(tmpdir(), 'farcall-docs-'))
  mkdirSync(cacheDir, { recursive: true })
  const work = mkdtempSync(join(cacheDir, 'docs-test-'))
  try {
    writeFileSync(join(base, 'page.md'), markdown.replaceAll("'''", '```'))
    return (await checkDocs(base, ['page.md'], work)).problems
  } finally {
    rmSync(base, { recursive: true })
    rmSync(work, { recursive: true })
  }
}

const good = `# A page

''' ts file=math.ts
export const add = (a: number, b: number) => a + b
'''

'''ts
import { add } from './math.ts'
console.log(add(1, 2))
console.log('at', Date.now())
'''
prints
'''output
3
at …
'''

'''ts no-run
throw new Error('only compiled')
'''
'''ts fragment
m.add(1, …
'''
'''json file=data.json
{ "a": 1 }
'''
'''sh run
cat data.json
'''
'''output
{ "a": 1 }
'''
'''sh
not-executed
'''
`

test('a page in order has no problems', async () => {
  assert.deepEqual(await check(good), [])
})

test('a wrong type fails, at its line of the page', async () => {
  const [problem] = await check("one\n'''ts\nconst a = 1\nconst b: string = a\n'''\n")
  assert.match(problem ?? '', /^page\.md:4: error TS2322/)
})

test('a wrong type fails also where the block is not run', async () => {
  const [problem] = await check("'''ts no-run\nconst b: string = 1\n'''\n")
  assert.match(problem ?? '', /^page\.md:2: error TS2322/)
})

test('a block that throws fails', async () => {
  const [problem] = await check("'''ts\nthrow new Error('so it goes')\n'''\n")
  assert.match(problem ?? '', /^page\.md:1: it failed \(exit code 1\)[^]*so it goes/)
})

test('another output than the page says fails', async () => {
  const [problem] = await check("'''ts\nconsole.log(1 + 1)\n'''\n'''output\n3\n'''\n")
  assert.match(problem ?? '', /^page\.md:1: it printed\n2\nand the page says \(line 4\)\n3/)
})

test('a command that fails fails, also in the middle', async () => {
  const [problem] = await check("'''sh run\nfalse\ntrue\n'''\n")
  assert.match(problem ?? '', /^page\.md:1: it failed/)
})

test('a background command runs until the end of the page, and must', async () => {
  const later = "'''sh run\nkill -0 $(cat pid)\n'''\n"
  assert.deepEqual(await check(`'''sh background\necho $$ > pid; echo started; sleep 100\n'''\n${later}`), [])
  const [problem] = await check("'''sh background\nexit 3\n'''\n")
  assert.match(
    problem ?? '',
    /^page\.md:1: it was to run until it is stopped, or the page ends, and ended \(3\)/,
  )
})

test('a page goes on when a background command has printed the line that it waits for', async () => {
  const page =
    "'''sh background until=ready\necho begun; sleep 0.1; touch there; echo ready; sleep 100\n'''\n"
  assert.deepEqual(await check(`${page}'''sh run\nls there\n'''\n`), [])
})

test('what runs in a terminal is interrupted by what is typed there next', async () => {
  const trap = "trap 'echo INT >> log; exit' INT; echo begun; while true; do sleep 0.05; done"
  const page = `'''sh background in=one\n${trap}\n'''\n'''sh run in=one\ncat log\n'''\n'''output\nINT\n'''\n`
  assert.deepEqual(await check(page), [])
})

test('a link that leads nowhere fails', async () => {
  assert.deepEqual(await check('[a](page.md#x) [b](https://example.org) [c](#here)\n'), [])
  assert.deepEqual(await check('see [d](other.md#x)\n'), ['page.md:1: the link to other.md leads nowhere'])
})

test('what a block asks for must be understood', () => {
  const problems = (markdown: string) => parsePage(markdown.replaceAll("'''", '```')).problems
  const wrong = ['ts norun', 'typescript', 'bash', 'sh no-run', 'output x', 'ts run fragment']
  for (const info of [...wrong, 'sh in=one', 'sh run until=ready', 'sh run needs=cobol', 'sh run inn=one']) {
    assert.equal(problems(`'''${info}\n'''\n`).length >= 1, true, info)
  }
  assert.match(
    problems("'''ts\n")
      .map(({ message }) => message)
      .join(),
    /never closed/,
  )
  assert.match(
    problems("'''sh\n'''\n'''output\n'''\n")
      .map(({ message }) => message)
      .join(),
    /belongs directly after/,
  )
})

test('an output may leave out what varies', () => {
  assert.equal(outputMatches('a … c\n', 'a b c\n'), true)
  assert.equal(outputMatches('a … c', 'a b\nc'), false)
  assert.equal(outputMatches('a\n…\nz', 'a\nb\nc\nz'), true)
  assert.equal(outputMatches('a\n…\nz', 'a\nz'), true)
  assert.equal(outputMatches('a.c', 'abc'), false)
})
