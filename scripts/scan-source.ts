import { SyntaxKind } from 'typescript/unstable/ast'
import { createScanner } from 'typescript/unstable/ast/scanner'

/** What the layer check wants to know of a module. */
export interface ScannedSource {
  /** What it imports or exports from, types and dynamic imports included. */
  readonly imports: readonly Mention[]
  /** The names that it uses: `process`, `Math.random` (two parts at most), but no keys and no members. */
  readonly names: readonly Mention[]
}

export interface Mention {
  readonly text: string
  readonly line: number
}

interface Token {
  readonly kind: SyntaxKind
  readonly text: string
  readonly start: number
}

const endsOperand = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateTail,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.ThisKeyword,
  SyntaxKind.SuperKeyword,
])

// Comments, strings and regular expressions are single tokens (or none), so nothing in them is taken for code.
function tokenize(source: string): Token[] {
  const scanner = createScanner(true)
  scanner.setText(source)
  const tokens: Token[] = []
  const templates: number[] = []
  let depth = 0
  let previous = SyntaxKind.Unknown
  for (;;) {
    let kind = scanner.scan()
    if (kind === SyntaxKind.EndOfFile) return tokens
    const isSlash = kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken
    if (isSlash && !endsOperand.has(previous)) kind = scanner.reScanSlashToken()
    if (kind === SyntaxKind.TemplateHead) templates.push(depth)
    if (kind === SyntaxKind.OpenBraceToken) depth++
    if (kind === SyntaxKind.CloseBraceToken) {
      if (templates.at(-1) === depth) {
        kind = scanner.reScanTemplateToken(false)
        if (kind === SyntaxKind.TemplateTail) templates.pop()
      } else depth--
    }
    const text = kind === SyntaxKind.StringLiteral ? scanner.getTokenValue() : scanner.getTokenText()
    tokens.push({ kind, text, start: scanner.getTokenStart() })
    previous = kind
  }
}

/** Reads a module's imports and names without running or compiling it. */
export function scanSource(source: string): ScannedSource {
  const tokens = tokenize(source)
  const lineOf = createLineOf(source)
  const imports: Mention[] = []
  const names: Mention[] = []
  for (const [i, token] of tokens.entries()) {
    const before = tokens[i - 1]
    if (token.kind === SyntaxKind.StringLiteral && isSpecifier(tokens, i)) {
      imports.push({ text: token.text, line: lineOf(token.start) })
    }
    const isMember = before?.kind === SyntaxKind.DotToken || before?.kind === SyntaxKind.QuestionDotToken
    if (!isNameLike(token) || isMember || isKey(tokens, i)) continue
    const member = tokens[i + 1]?.kind === SyntaxKind.DotToken ? tokens[i + 2]?.text : undefined
    names.push({ text: token.text, line: lineOf(token.start) })
    if (member !== undefined) names.push({ text: `${token.text}.${member}`, line: lineOf(token.start) })
  }
  return { imports, names }
}

// `require` is a keyword to the scanner.
function isNameLike({ kind }: Token): boolean {
  return kind === SyntaxKind.Identifier || kind === SyntaxKind.RequireKeyword
}

// import 'x' · import('x') · import … from 'x' · export … from 'x'
function isSpecifier(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]?.kind
  if (before === SyntaxKind.FromKeyword || before === SyntaxKind.ImportKeyword) return true
  return before === SyntaxKind.OpenParenToken && tokens[at - 2]?.kind === SyntaxKind.ImportKeyword
}

// { process: 1 } · { process?: 1 }, but neither a ? process : b nor case process:
function isKey(tokens: readonly Token[], at: number): boolean {
  const opener = tokens[at - 1]?.kind
  const opens =
    opener === SyntaxKind.OpenBraceToken ||
    opener === SyntaxKind.CommaToken ||
    opener === SyntaxKind.OpenParenToken ||
    opener === SyntaxKind.ReadonlyKeyword
  const next = tokens[at + 1]?.kind
  return opens && (next === SyntaxKind.ColonToken || next === SyntaxKind.QuestionToken)
}

function createLineOf(source: string): (position: number) => number {
  let line = 1
  let seen = 0
  return (position) => {
    for (; seen < position; seen++) if (source.charCodeAt(seen) === 10) line++
    return line
  }
}
