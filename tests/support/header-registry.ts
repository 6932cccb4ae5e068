import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A registry as geerpc and MyRPC have it: everything in headers. */
export interface HeaderRegistry extends AsyncDisposable {
  readonly port: number
  readonly servers: ReadonlySet<string>
  /** All that was asked, as `POST /path`. */
  readonly asked: readonly string[]
}

/** Starts one at a port of 127.0.0.1. `header` is `X-Geerpc-Server` or `X-Myrpc-Server`. */
export async function startHeaderRegistry(header: string, port = 0): Promise<HeaderRegistry> {
  const servers = new Set<string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const given = request.headers[header.toLowerCase()]
    if (request.method === 'GET') response.setHeader(`${header}s`, [...servers].sort().join(','))
    else if (request.method !== 'POST') response.statusCode = 405
    else if (typeof given === 'string' && given !== '') servers.add(given)
    else response.statusCode = 500
    response.end()
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    servers,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
