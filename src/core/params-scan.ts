/**
 * The texts between the commas of a function's parameter list, without comments; undefined where the source is not
 * that of a function written in JavaScript, or is not understood.
 */
export function readParameterList(source: string): string[] | undefined {
  // What V8 and others print for native and bound functions; no function that was written can have it as its body.
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source) || /^class\b/.test(source)) return undefined
  let head = ''
  let at = 0
  while (at < source.length) {
    const char = source[at] as string
    if (char === '(') return splitParameters(source, at + 1)
    if (char === '=' && source[at + 1] === '>') return soleParameter(head)
    const next = skip(source, at, head)
    if (next === undefined) return undefined
    if (!isComment(source, at)) head += source.slice(at, next)
    at = next
  }
  return undefined
}

// `x => …` and `async x => …`
function soleParameter(head: string): string[] | undefined {
  const name = /^(?:async\s+)?(\S+)\s*$/.exec(head.trim())?.[1]
  return name === undefined ? undefined : [name]
}

function splitParameters(source: string, start: number): string[] | undefined {
  const found: string[] = []
  let text = ''
  let at = start
  while (at < source.length) {
    const char = source[at] as string
    if (char === ')' || char === ',') {
      if (text.trim() !== '') found.push(text.trim())
      else if (char === ',') return undefined
      if (char === ')') return found
      text = ''
      at++
      continue
    }
    const next = skip(source, at, text)
    if (next === undefined) return undefined
    text += isComment(source, at) ? ' ' : source.slice(at, next)
    at = next
  }
  return undefined
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/**
 * Where what begins here ends: a string, a comment, a bracket with all that is in it, or else one character; undefined
 * where it never ends. What stands `before` tells a regular expression from a division.
 */
export function skip(source: string, at: number, before: string): number | undefined {
  const char = source[at] as string
  if (char === '"' || char === "'") return skipQuoted(source, at + 1, char)
  if (char === '`') return skipTemplate(source, at + 1)
  if (isComment(source, at)) return skipComment(source, at)
  if (char === '/' && beginsRegExp(before)) return skipRegExp(source, at + 1)
  const close = closing[char]
  return close === undefined ? at + 1 : skipBracket(source, at + 1, close)
}

function skipBracket(source: string, start: number, close: string): number | undefined {
  let at = start
  while (at < source.length) {
    const char = source[at] as string
    if (char === close) return at + 1
    if (char === ')' || char === ']' || char === '}') return undefined
    const next = skip(source, at, source.slice(start, at))
    if (next === undefined) return undefined
    at = next
  }
  return undefined
}

function skipQuoted(source: string, start: number, quote: string): number | undefined {
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === quote) return at + 1
  }
  return undefined
}

function skipTemplate(source: string, start: number): number | undefined {
  let at = start
  while (at < source.length) {
    if (source[at] === '\\') at += 2
    else if (source[at] === '`') return at + 1
    else if (source[at] === '$' && source[at + 1] === '{') {
      const next = skipBracket(source, at + 2, '}')
      if (next === undefined) return undefined
      at = next
    } else at++
  }
  return undefined
}

function isComment(source: string, at: number): boolean {
  return source[at] === '/' && (source[at + 1] === '/' || source[at + 1] === '*')
}

function skipComment(source: string, at: number): number | undefined {
  const end = source[at + 1] === '/' ? source.indexOf('\n', at) : source.indexOf('*/', at + 2)
  if (end === -1) return undefined
  return source[at + 1] === '/' ? end + 1 : end + 2
}

// After an operand a slash divides; anywhere else it begins a regular expression.
function beginsRegExp(before: string): boolean {
  const trimmed = before.trimEnd()
  return (
    !/[\w$)\]}"'`]$/.test(trimmed) ||
    /(?:^|[^\w$.])(?:return|typeof|case|in|of|void|delete|await|yield)$/.test(trimmed)
  )
}

function skipRegExp(source: string, start: number): number | undefined {
  let inClass = false
  for (let at = start; at < source.length; at++) {
    const char = source[at]
    if (char === '\\') at++
    else if (char === '\n') return undefined
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '/' && !inClass) return at + 1
  }
  return undefined
}
