import type { Fields } from './fields.ts'
import { type Framing, noBody, readFraming } from './framing.ts'
import { HttpProblem } from './problem.ts'

/** The verbs that are known; what begins otherwise is no HTTP here. */
export const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const

/** The head of a request. */
export interface RequestHead {
  readonly method: string
  /** As it came: path and query, or `*`. */
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly fields: Fields
  readonly framing: Framing
  /** The connection goes on after the answer. */
  readonly keepAlive: boolean
  /** The body comes only when it is asked for. */
  readonly expectsContinue: boolean
}

/** @throws HttpProblem that says what is wrong with it. */
export function readRequestHead(firstLine: string, fields: Fields): RequestHead {
  const [method, target, protocol, ...rest] = firstLine.split(' ')
  if (
    method === undefined ||
    target === undefined ||
    protocol === undefined ||
    target === '' ||
    rest.length > 0
  ) {
    throw new HttpProblem(400, "a request should begin with a line such as 'GET /healthz HTTP/1.1'")
  }
  if (!(verbs as readonly string[]).includes(method)) {
    throw new HttpProblem(501, `the method is none of ${verbs.join(', ')}`)
  }
  const version = readVersion(protocol)
  const framing = readFraming(fields, version) ?? noBody
  if (version === '1.1' && !fields.has('host')) throw new HttpProblem(400, "the field 'host' is missing")
  return {
    method,
    target,
    version,
    fields,
    framing,
    keepAlive:
      version === '1.1' ? !fields.lists('connection', 'close') : fields.lists('connection', 'keep-alive'),
    expectsContinue: readExpect(fields, version),
  }
}

function readVersion(protocol: string): '1.0' | '1.1' {
  if (protocol === 'HTTP/1.1') return '1.1'
  if (protocol === 'HTTP/1.0') return '1.0'
  if (/^HTTP\/\d\.\d$/.test(protocol)) throw new HttpProblem(505, 'only HTTP/1.1 and HTTP/1.0 are spoken')
  throw new HttpProblem(400, 'the request line should end in HTTP/1.1')
}

function readExpect(fields: Fields, version: string): boolean {
  const expected = fields.get('expect')
  if (expected === undefined || version === '1.0') return false
  if (expected.toLowerCase() === '100-continue') return true
  throw new HttpProblem(417, "the only expectation that can be met is '100-continue'")
}
