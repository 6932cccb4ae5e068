import { HttpProblem } from './problem.ts'

/** What a request is for. */
export interface Target {
  /** Decoded; see `HttpRequest.path`. */
  readonly path: string
  /** Its parts between slashes. */
  readonly parts: readonly string[]
  readonly query: string
}

/**
 * Reads the target of a request into its one canonical form. Whatever could be understood in two ways (empty parts,
 * `..`, an encoded slash, a backslash) is refused, so that nothing that looks at paths sees another than what is called.
 * @throws HttpProblem 400.
 */
export function readTarget(target: string): Target {
  const mark = target.indexOf('?')
  const raw = mark === -1 ? target : target.slice(0, mark)
  if (!raw.startsWith('/')) throw new HttpProblem(400, "the target of a request should begin with a '/'")
  if (!/^[!-~]*$/.test(target) || /[\\#"<>^`{|}]/.test(raw)) {
    throw new HttpProblem(400, 'the target of a request holds a character that should be percent-encoded')
  }
  const query = mark === -1 ? '' : target.slice(mark + 1)
  if (raw === '/') return { path: '/', parts: [], query }
  const parts = raw.slice(1).split('/').map(decodePart)
  return { path: `/${parts.join('/')}`, parts, query }
}

function decodePart(raw: string): string {
  // Nearly every name is like this, and means itself.
  if (/^[\w-]+$/.test(raw)) return raw
  let part: string
  try {
    part = decodeURIComponent(raw)
  } catch {
    throw new HttpProblem(400, 'the path is not percent-encoded UTF-8')
  }
  if (part === '' || part === '.' || part === '..') {
    throw new HttpProblem(400, "the path has a part that is empty, '.' or '..'")
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[/\\\u0000-\u001f\u007f]/.test(part)) {
    throw new HttpProblem(400, 'the path has an encoded slash, backslash or control character')
  }
  return part
}
