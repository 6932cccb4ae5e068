import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Explained {
  readonly message: string
  readonly next: string | undefined
}

/** Why a module could not be imported, in a line or two, and what to do about it. */
export function explainImport(
  thrown: unknown,
  { shown, ours }: { readonly shown: string; readonly ours: string },
): Explained {
  if (!(thrown instanceof Error))
    return { message: `${shown} threw ${String(thrown)} while it was loaded`, next: undefined }
  const code = (thrown as { code?: unknown }).code
  const what = firstLine(thrown.message)
  const place = placeOf(thrown, ours)
  const at = place === undefined ? '' : ` (${place})`
  switch (code) {
    case 'ERR_MODULE_NOT_FOUND':
      return missing(what, shown)
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return {
        message: `${shown} cannot be loaded${at}: ${what}`,
        next: 'Node runs TypeScript by leaving types out: write a union or an object instead of an enum, and assign parameters to properties yourself ("erasableSyntaxOnly" in tsconfig.json finds these)',
      }
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return { message: `${shown} is no valid TypeScript${at}: ${what}`, next: undefined }
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return {
        message: `${shown} is no module that Node can load`,
        next: 'give a file that ends in .ts, .mts, .js or .mjs',
      }
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return {
        message: `${shown} is TypeScript inside of node_modules, which Node does not run`,
        next: 'serve the compiled JavaScript of that package, or a module of your own that imports it',
      }
    default: {
      const kind = thrown instanceof SyntaxError ? 'cannot be read' : 'failed while it was loaded'
      return { message: `${shown} ${kind}${at}: ${what}`, next: nextFor(thrown) }
    }
  }
}

function missing(what: string, shown: string): Explained {
  const found = /Cannot find (?:package|module) '([^']+)'(?: imported from (.*))?/.exec(what)
  const name = found?.[1] ?? ''
  const from = found?.[2] === undefined ? shown : relativePath(found[2])
  if (!/^[./]|^file:|^[a-z]:/i.test(name)) {
    return {
      message: `${from} imports '${name}', which is not installed`,
      next: `npm install ${name.split('/', name.startsWith('@') ? 2 : 1).join('/')}`,
    }
  }
  return {
    message: `${from} imports ${relativePath(name)}, and there is no such file`,
    next: 'imports name the file as it is, with its ending: ./math.ts',
  }
}

function nextFor(thrown: Error): string | undefined {
  if (/does not provide an export named/.test(thrown.message))
    return 'a type is imported with: import type { … }'
  if (/Unexpected strict mode reserved word|Cannot use import statement/.test(thrown.message))
    return 'put "type": "module" into package.json'
  return undefined
}

/** Where in the user's own files it happened: `math.ts:3:5`. */
function placeOf(error: Error, ours: string): string | undefined {
  const lines = (error.stack ?? '').split('\n')
  const head = /^(?:file:\/\/)?(\/.*|[A-Za-z]:.*):(\d+)$/.exec(lines[0] ?? '')
  if (head !== null) return `${relativePath(head[1] ?? '')}:${head[2]}`
  for (const line of lines) {
    const frame = /(?:\(|at (?:async )?)((?:file:\/\/)?(?:\/|[A-Za-z]:)[^()]*):(\d+):(\d+)\)?$/.exec(
      line.trim(),
    )
    if (frame === null) continue
    const path = plainPath(frame[1] ?? '')
    if (!path.startsWith(ours)) return `${relativePath(path)}:${frame[2]}:${frame[3]}`
  }
  return undefined
}

function plainPath(path: string): string {
  return path.startsWith('file:') ? fileURLToPath(path) : path
}

function relativePath(path: string): string {
  const plain = plainPath(path)
  const near = relative(process.cwd(), plain)
  return near === '' || near.startsWith('..') ? plain : near
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim() ?? ''
}
