import type { MethodInfo } from '../../core/method-info.ts'

/** What a call would look like in a shell. */
export interface CurlCall {
  readonly host: string
  readonly secure: boolean
  readonly path: string
  /** A body to show; else one is made up of the names of the parameters. */
  readonly body?: string | undefined
  readonly info?: MethodInfo | undefined
}

/** The line that makes a call with curl, for people who tried it in another way. */
export function curlLine({ host, secure, path, body, info }: CurlCall): string {
  const url = `${secure ? 'https' : 'http'}://${host === '' ? 'HOST:PORT' : host}${encodePath(path)}`
  return `curl ${quote(url)} -H 'content-type: application/json' -d ${quote(body ?? bodyFor(info))}`
}

/** The body of a request as the line may show it: short JSON in plain characters, or nothing. */
export function showableBody(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > 200) return undefined
  const text = String.fromCharCode(...bytes)
  if (!/^[ -~]*$/.test(text)) return undefined
  try {
    JSON.parse(text)
    return text
  } catch {
    return undefined
  }
}

function bodyFor(info: MethodInfo | undefined): string {
  const params = info?.params
  if (params === undefined) return '[…]'
  return `[${params.map((name) => `"${name}"`).join(', ')}]`
}

function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/')
}

function quote(text: string): string {
  if (/^[\w:/.@%+,-]+$/.test(text)) return text
  return `'${text.replaceAll("'", "'\\''")}'`
}
