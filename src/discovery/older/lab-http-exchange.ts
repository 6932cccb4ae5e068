import { RpcError } from '../../core/error.ts'
import { readField, readList } from '../api/guards.ts'
import type { HttpAnswer, HttpLine } from './ask-http.ts'
import type { InstanceMeta } from './lab-meta.ts'
import { maxEntries } from './read-entries.ts'
import type { HostPort } from './target.ts'

/** One server as the registry names it; nothing is known of its shape. */
export interface FoundMeta {
  readonly value: unknown
  readonly proto: string
  /** Which of the registry's addresses has answered. */
  readonly registry: HostPort
}

/** All servers of one protocol. */
export async function findMetas(line: HttpLine, proto: string, signal: AbortSignal): Promise<FoundMeta[]> {
  const path = `/myRegistry/findAllInstances?proto=${encodeURIComponent(proto)}`
  const answer = await line.ask({ method: 'GET', path }, signal)
  const list = readList(parseAnswer(answer), 'the list of instances', maxEntries)
  return list.map((value) => ({ value, proto, registry: answer.from }))
}

/** Registers a server, which also says that it lives. @throws RpcError `failed_precondition` where it is not taken. */
export async function registerMeta(line: HttpLine, meta: InstanceMeta, signal: AbortSignal): Promise<void> {
  const answer = await post(line, '/myRegistry/register', { meta, signal })
  const status = readField(answer, 'status', 'the answer')
  // The older registries say `true`, "true" or nothing; `false` is how a newer one may say that it refuses.
  if (status === false || String(status).toLowerCase() === 'false')
    throw new RpcError('failed_precondition', 'the registry did not take the registration (status false)')
}

/** Takes a server out. One that is not there is no error. */
export async function unregisterMeta(line: HttpLine, meta: InstanceMeta, signal: AbortSignal): Promise<void> {
  await post(line, '/myRegistry/unregister', { meta, signal })
}

async function post(
  line: HttpLine,
  path: string,
  { meta, signal }: { meta: InstanceMeta; signal: AbortSignal },
): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return parseAnswer(await line.ask({ method: 'POST', path, headers, body: JSON.stringify(meta) }, signal))
}

function parseAnswer({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    try {
      return JSON.parse(withoutPython(body))
    } catch {
      const shown = JSON.stringify(body.slice(0, 100))
      throw new RpcError('data_loss', `the registry answered with something that is no JSON: ${shown}`, {
        cause,
      })
    }
  }
}

// Python writes numbers that JSON does not have. One in the parameters of one server must not hide all others.
function withoutPython(json: string): string {
  return json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs, (found) =>
    found.startsWith('"') ? found : 'null',
  )
}
