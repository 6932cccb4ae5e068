import { formatHostPort } from '../../core/endpoint.ts'
import type { ErrorCode } from '../../core/code.ts'
import { RpcError } from '../../core/error.ts'
import { registryTimeoutMs } from '../call-registry.ts'
import type { DiscoveryRoom, Fetch } from '../source.ts'
import { readBody } from './read-body.ts'
import type { HostPort, OlderTarget } from './target.ts'

/** One question. */
export interface HttpAsk {
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What was answered with status 200. */
export interface HttpAnswer {
  /** Which of the registry's addresses has answered. */
  readonly from: HostPort
  readonly header: (name: string) => string | null
  readonly body: string
}

/** A registry that is asked over HTTP. */
export interface HttpLine {
  /**
   * Asks at the address that answered last, and where that fails at the next, each once. Redirects are not followed.
   * @throws RpcError for whatever is no success: `unavailable`, `deadline_exceeded` (2 s for each address), the reason
   * of the signal, or a code for the status.
   */
  ask(request: HttpAsk, signal: AbortSignal, timeoutMs?: number): Promise<HttpAnswer>
}

/** @throws RpcError `failed_precondition` where there is no `fetch`. */
export function openHttp(target: OlderTarget, room: DiscoveryRoom): HttpLine {
  const { fetch } = room
  if (fetch === undefined) {
    const message = `${target.text.slice(0, 200)} is asked over HTTP: give 'fetch' to createFarcall`
    throw new RpcError('failed_precondition', message)
  }
  const { hosts } = target
  let current = 0
  return {
    async ask(request, signal, timeoutMs = registryTimeoutMs) {
      for (let left = hosts.length - 1; ; left--) {
        const at = current
        try {
          return await askOne(hosts[at] as HostPort, request, { fetch, room, signal, timeoutMs })
        } catch (thrown) {
          if (signal.aborted) throw thrown
          if (current === at) current = (at + 1) % hosts.length
          if (left === 0) throw thrown
        }
      }
    },
  }
}

interface AskRoom {
  readonly fetch: Fetch
  readonly room: DiscoveryRoom
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

async function askOne(from: HostPort, request: HttpAsk, around: AskRoom): Promise<HttpAnswer> {
  const { room, signal, timeoutMs } = around
  const url = `http://${formatHostPort(from.host, from.port)}${request.path}`
  const shown = `${request.method} ${url}`
  // A controller of its own: `AbortSignal.any` on a signal that lives long would gather what it made.
  const stop = new AbortController()
  const leave = () => stop.abort(new RpcError('cancelled', `${shown} is not needed any more`))
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  const cancel = room.clock.after(timeoutMs, () =>
    stop.abort(new RpcError('deadline_exceeded', `${shown} was not answered within ${timeoutMs} ms`)),
  )
  const exchanged = exchange(url, request, { fetch: around.fetch, signal: stop.signal })
  // It settles in time also where `fetch` does not.
  const { response, body } = await Promise.race([exchanged, aborted(stop.signal)])
    .catch((thrown) => {
      throw stop.signal.aborted ? stop.signal.reason : explain(shown, thrown)
    })
    .finally(() => {
      cancel()
      signal.removeEventListener('abort', leave)
    })
  if (response.status !== 200) throw refusal(shown, response.status, body)
  return { from, header: (name) => response.headers.get(name), body }
}

async function exchange(
  url: string,
  { method, headers = {}, body }: HttpAsk,
  { fetch, signal }: { fetch: Fetch; signal: AbortSignal },
): Promise<{ response: Response; body: string }> {
  const response = await fetch(url, {
    method,
    headers,
    // A text, so that its length is sent before it: the older servers read no other.
    body: body ?? null,
    redirect: 'manual',
    signal,
  })
  return { response, body: await readBody(response) }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

// The first four say that it is no use to ask again.
const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_argument',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'unimplemented',
  405: 'unimplemented',
  501: 'unimplemented',
  429: 'resource_exhausted',
}

function refusal(shown: string, status: number, body: string): RpcError {
  const isRedirect = status >= 300 && status < 400
  const code = isRedirect ? 'unimplemented' : (codes[status] ?? 'unavailable')
  const hint = isRedirect ? ': redirects are not followed, name the address itself' : ''
  // As text that cannot forge a line of a log.
  const text = JSON.stringify(body.slice(0, 200)).slice(1, -1).replaceAll('\\"', '"')
  const said = text === '' || isRedirect ? '' : `: ${text}`
  return new RpcError(code, `${shown} was answered with ${status}${hint}${said}`)
}

function explain(shown: string, thrown: unknown): RpcError {
  if (RpcError.is(thrown)) return new RpcError(thrown.code, `${shown}: ${thrown.message}`, { cause: thrown })
  return new RpcError('unavailable', `${shown}: ${innermost(thrown)}`, { cause: thrown, phase: 'connect' })
}

// `fetch` says only that it failed; why stands in the causes.
function innermost(thrown: unknown): string {
  let at = thrown
  let said = ''
  for (let depth = 0; at instanceof Error && depth < 5; depth++) {
    // Where several addresses failed, there is a code and no message.
    const { code } = at as { code?: unknown }
    said = at.message || (typeof code === 'string' ? code : said)
    at = at.cause
  }
  return said === '' ? RpcError.from(thrown).message : said
}
