import type { Detect } from '../../core/detect.ts'
import { RpcError } from '../../core/error.ts'
import type { Wire } from '../../transports/transport.ts'
import type { Unwrap } from '../../transports/unwrap.ts'
import { HeadCollector } from './head-collector.ts'

/** The paths that Go's clients connect to, and what the servers there call themselves, which those clients compare. */
export const goConnectPaths: Readonly<Record<string, string>> = Object.freeze({
  '/_geeprc_': 'Gee RPC',
  '/_geerpc_': 'Gee RPC',
  '/_myrpc_': 'MyRPC',
  '/_goRPC_': 'Go RPC',
})

/**
 * HTTP's CONNECT as the clients of net/rpc, geerpc and MyRPC send it: `CONNECT /_goRPC_ HTTP/1.0`. What comes behind it
 * is looked at anew, so bytes that are sent without waiting for the answer are not lost. Another method at one of the
 * paths is an HTTP request like any other; {@link goConnectRoute} answers it.
 * @throws RpcError `invalid_argument` for something that is no path.
 */
export function createConnectUnwrap(paths: Readonly<Record<string, string>> = goConnectPaths): Unwrap {
  const names = new Map(Object.entries(paths))
  for (const path of names.keys()) checkConnectPath(path)
  return {
    name: 'connect',
    detect: detectOneOf([...names.keys()].map((path) => `CONNECT ${path} `)),
    unwrap: (wire, again) => answerConnect(wire, names, again),
  }
}

/**
 * The path that a client connects to: `usual` for true, none for false.
 * @throws RpcError `invalid_argument` for what cannot stand in a request line.
 */
export function resolveConnectPath(http: string | boolean, usual: string): string | undefined {
  if (http === false) return undefined
  const path = http === true ? usual : http
  checkConnectPath(path)
  return path
}

function checkConnectPath(path: string): void {
  if (/^\/[!-~]{0,200}$/.test(path)) return
  throw new RpcError(
    'invalid_argument',
    `'${path.slice(0, 200)}' is no path to CONNECT to; for example '/_myrpc_'`,
  )
}

function detectOneOf(beginnings: readonly string[]): Detect {
  const all = beginnings.map((text) => new TextEncoder().encode(text))
  return (head) => {
    let more = false
    for (const beginning of all) {
      const known = Math.min(head.length, beginning.length)
      let at = 0
      while (at < known && head[at] === beginning[at]) at++
      if (at === beginning.length) return 'yes'
      more ||= at === known
    }
    return more ? 'more' : 'no'
  }
}

function answerConnect(wire: Wire, names: ReadonlyMap<string, string>, again: (inner: Wire) => void): void {
  const head = new HeadCollector()
  wire.onData = (chunk) => {
    const found = head.push(chunk)
    if (found === undefined) return
    const [, path = '', version] = /^CONNECT (\S+) (HTTP\/1\.[01])$/.exec(found.lines[0] ?? '') ?? []
    const name = names.get(path)
    // Bare newlines and no fields: Go's clients compare the status, and read what follows as calls.
    if (name === undefined || version === undefined) return refuse(wire)
    write(wire, `HTTP/1.0 200 Connected to ${name}\n\n`)
    wire.unread(found.rest)
    again(wire)
  }
  wire.onEnd = () => wire.close()
}

function refuse(wire: Wire): void {
  write(wire, 'HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  wire.onData = () => {}
  wire.end()
}

function write({ out }: Wire, text: string): void {
  const bytes = new TextEncoder().encode(text)
  out.ensure(bytes.length)
  out.bytes.set(bytes, out.at)
  out.at += bytes.length
  out.commit()
}
