import { toolNames } from './docs-tools.ts'

/** A fenced block of code on a page. */
export interface Block {
  readonly language: string
  /** What the words after the language ask for. */
  readonly mode: 'run' | 'background' | 'compile' | 'fragment' | 'output' | 'none'
  /** The name to write it to, so that later blocks can import it. */
  readonly file: string | undefined
  /** The terminal that it is typed into: what was started there before is interrupted first. */
  readonly terminal: string | undefined
  /** Of a background block: the text of the line after which the page goes on. Default: any. */
  readonly until: string | undefined
  /** What is needed from here on: without it the rest of the page is not run. */
  readonly needs: string | undefined
  /** The line of the page on which the opening fence is; the code begins on the next. */
  readonly line: number
  readonly text: string
}

export interface Page {
  readonly blocks: readonly Block[]
  /** Links to files, without the fragment. */
  readonly links: readonly { readonly target: string; readonly line: number }[]
  /** Blocks that ask for what is not understood. */
  readonly problems: readonly Problem[]
}

export interface Problem {
  readonly line: number
  readonly message: string
}

// A typing error in a word must not switch a check off, so all others are refused.
const modes: Record<string, Record<string, Block['mode']>> = {
  ts: { run: 'run', background: 'background', 'no-run': 'compile', fragment: 'fragment' },
  sh: { run: 'run', background: 'background' },
  output: {},
}

const misnamed: Record<string, string> = {
  typescript: 'ts',
  js: 'ts',
  javascript: 'ts',
  bash: 'sh',
  shell: 'sh',
  console: 'sh',
  zsh: 'sh',
}

/** Finds the blocks and links of a page of Markdown. */
export function parsePage(markdown: string): Page {
  const blocks: Block[] = []
  const links: Page['links'][number][] = []
  const problems: Problem[] = []
  let open: { indent: string; fence: string; info: string; line: number; text: string[] } | undefined
  for (const [i, line] of markdown.split(/\r?\n/).entries()) {
    const [, indent = '', fence, info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (open !== undefined) {
      if (fence?.startsWith(open.fence) && info.trim() === '') {
        const block = readBlock(open.info, open.line, `${open.text.join('\n')}\n`)
        if ('message' in block) problems.push(block)
        else blocks.push(block)
        open = undefined
      } else open.text.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart())
    } else if (fence !== undefined) open = { indent, fence, info, line: i + 1, text: [] }
    else links.push(...readLinks(line, i + 1))
  }
  if (open !== undefined) problems.push({ line: open.line, message: 'this block is never closed' })
  for (const [i, { mode, line }] of blocks.entries()) {
    if (mode !== 'output' || blocks[i - 1]?.mode === 'run') continue
    problems.push({ line, message: 'an output block belongs directly after a block that is run' })
  }
  return { blocks, links, problems }
}

function readBlock(info: string, line: number, text: string): Block | Problem {
  const [language = '', ...words] = info.trim().split(/\s+/)
  const better = misnamed[language]
  if (better !== undefined) return { line, message: `write ${better} instead of ${language}` }
  const known = modes[language] ?? {}
  const valueOf = (name: string) => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1)
  const [file, terminal, until, needs] = ['file', 'in', 'until', 'needs'].map(valueOf)
  const asked = words.filter((word) => !/^(file|in|until|needs)=./.test(word))
  const [word] = asked
  if (asked.length > 1 || (word !== undefined && known[word] === undefined)) {
    const choice = Object.keys(known).join(', ') || 'no word'
    return { line, message: `"${info.trim()}": a ${language || 'plain'} block takes ${choice}, or file=name` }
  }
  const fileMode = language === 'ts' ? 'compile' : 'none'
  const plain = language === 'ts' ? 'run' : language === 'output' ? 'output' : 'none'
  const mode = (word !== undefined ? known[word] : file !== undefined ? fileMode : plain) ?? 'none'
  if (terminal !== undefined && mode !== 'run' && mode !== 'background')
    return { line, message: `"${info.trim()}": only what is run or started is in a terminal` }
  if (until !== undefined && mode !== 'background')
    return { line, message: `"${info.trim()}": until= is for background blocks` }
  if (needs !== undefined && !toolNames.includes(needs))
    return { line, message: `"${info.trim()}": needs= takes ${toolNames.join(', ')}` }
  return { language, mode, file, terminal, until, needs, line, text }
}

function readLinks(line: string, number: number): Page['links'][number][] {
  const prose = line.replace(/`[^`]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
    .map(([, target = '']) => ({ target, line: number }))
    .filter(({ target }) => !/^[a-z]+:/.test(target))
}

/** Whether an output block tells what was printed: `…` stands for any text in a line, alone in a line for any lines. */
export function outputMatches(expected: string, printed: string): boolean {
  const pattern = expected
    .trimEnd()
    .split('\n')
    .map((line, i) => {
      const before = i === 0 ? '' : '\n'
      if (line.trim() === '…') return `(?:${before}.*)*?`
      return before + line.trimEnd().split('…').map(escapePattern).join('.*')
    })
  return new RegExp(`^${pattern.join('')}$`).test(printed.trimEnd().replace(/[ \t]+$/gm, ''))
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
