import type { Clock } from '../../core/clock.ts'
import { RpcError } from '../../core/error.ts'
import type { Handler } from '../../core/layer.ts'
import { fail } from '../../core/settle.ts'
import type { LabRegistry, LabServer } from '../api/lab-registry.ts'
import type { Outage } from '../discovery.suite.ts'
import type { Fetch } from '../source.ts'

/** An older registry in this process, that answers as the documents say. */
export interface FakeRegistry<Way> {
  /** All that was asked, in order. */
  readonly asked: string[]
  /** It forgets everything. */
  restart(): void
  /** A way to it, which can be cut. */
  way(cut: () => Outage | undefined): Way
}

interface Request {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string
}

/** `/myRegistry/…`: who has not registered again for 10 s is gone. An entry stays as it came first. */
export function fakeLabHttp(clock: Clock): FakeRegistry<Fetch> & { readonly entries: Map<string, object> } {
  const entries = new Map<string, Record<string, unknown>>()
  const heard = new Map<string, number>()
  const keyOf = ({ protocol, host, port }: Record<string, unknown>) => JSON.stringify([protocol, host, port])
  const answer = ({ method, url, body }: Request, isEmpty: boolean): Response => {
    if (method === 'GET' && url.pathname === '/myRegistry/findAllInstances') {
      for (const [key, at] of heard) if (clock.now() - at > 10_000) forget(key)
      const proto = url.searchParams.get('proto')
      return Response.json(isEmpty ? [] : [...entries.values()].filter((meta) => meta['protocol'] === proto))
    }
    if (method !== 'POST' || !/^\/myRegistry\/(un)?register$/.test(url.pathname))
      return Response.json({ error: 'Not Found' }, { status: 404 })
    const meta = JSON.parse(body) as Record<string, unknown>
    const key = keyOf(meta)
    const isIn = url.pathname.endsWith('/register')
    if (isIn) {
      if (!entries.has(key)) entries.set(key, meta)
      heard.set(key, clock.now())
    } else forget(key)
    return Response.json({ ...meta, status: isIn })
  }
  const forget = (key: string) => {
    entries.delete(key)
    heard.delete(key)
  }
  const restart = () => [...entries.keys()].forEach(forget)
  return { ...fakeHttp(answer), entries, restart }
}

/** Everything in headers: who has not been heard of for 5 min is gone, and nobody can be taken out. */
export function fakeHeaderRegistry(clock: Clock, header: string): FakeRegistry<Fetch> {
  const heard = new Map<string, number>()
  const answer = ({ method, headers }: Request, isEmpty: boolean): Response => {
    if (method === 'GET') {
      for (const [server, at] of heard) if (clock.now() - at > 300_000) heard.delete(server)
      const list = isEmpty ? '' : [...heard.keys()].sort().join(',')
      return new Response(null, { headers: { [`${header}s`]: list } })
    }
    if (method !== 'POST') return new Response(null, { status: 405 })
    const server = headers.get(header)
    if (server === null || server === '') return new Response(null, { status: 500 })
    heard.set(server, clock.now())
    return new Response(null)
  }
  return { ...fakeHttp(answer), restart: () => heard.clear() }
}

/** The registry of the protobuf lab, as the calls that its protocol turns into requests. */
export function fakeLabTcp(clock: Clock): FakeRegistry<Handler> {
  const services = new Map<string, Map<string, LabServer>>()
  const heard = new Map<string, number>()
  const asked: string[] = []
  const keyOf = ({ host, port }: LabServer) => `${host}:${port}`
  const forgetSilent = () => {
    for (const [key, at] of heard) {
      if (clock.now() - at <= 15_000) continue
      heard.delete(key)
      for (const servers of services.values()) servers.delete(key)
    }
  }
  const registry: { [Method in keyof LabRegistry]: (request: never) => unknown } = {
    register({ service, host, port }: Parameters<LabRegistry['register']>[0]) {
      const server = { host, port }
      const servers = services.get(service) ?? new Map<string, LabServer>()
      services.set(service, servers.set(keyOf(server), server))
      heard.set(keyOf(server), clock.now())
    },
    discover({ service }: Parameters<LabRegistry['discover']>[0]) {
      const found = [...(services.get(service)?.values() ?? [])]
      if (found.length === 0) throw new RpcError('not_found', `nobody has ${service}`)
      return found
    },
    heartbeat(server: LabServer) {
      if (!heard.has(keyOf(server))) return false
      heard.set(keyOf(server), clock.now())
      return true
    },
  }
  return {
    asked,
    restart() {
      services.clear()
      heard.clear()
    },
    way: (cut) => (call) => {
      const request = call.args.list[0] as { service?: string }
      asked.push([call.method, request.service].filter((text) => text !== undefined).join(' '))
      const outage = cut()
      if (outage === 'hanging') return new Promise(() => {})
      if (outage === 'down') return fail(call, new RpcError('unavailable', 'connection refused'))
      if (outage === 'empty' && call.method === 'discover')
        return fail(call, new RpcError('not_found', 'nobody'))
      forgetSilent()
      try {
        return registry[call.method as keyof LabRegistry](request as never)
      } catch (error) {
        return fail(call, RpcError.from(error))
      }
    },
  }
}

function fakeHttp(
  answer: (request: Request, isEmpty: boolean) => Response,
): Pick<FakeRegistry<Fetch>, 'asked' | 'way'> {
  const asked: string[] = []
  return {
    asked,
    way: (cut) => async (input, init) => {
      const url = new URL(input as string)
      const method = init?.method ?? 'GET'
      asked.push(`${method} ${url.pathname}${url.search}`)
      const outage = cut()
      if (outage === 'hanging') return new Promise<Response>(() => {})
      if (outage === 'down')
        throw new TypeError('fetch failed', { cause: new Error(`connect ECONNREFUSED ${url.host}`) })
      const body = typeof init?.body === 'string' ? init.body : ''
      return answer({ method, url, headers: new Headers(init?.headers), body }, outage === 'empty')
    },
  }
}
