import type { Fields } from './fields.ts'
import { type Framing, noBody, readFraming } from './framing.ts'
import { HttpProblem } from './problem.ts'

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  readonly fields: Fields
  readonly framing: Framing
  readonly keepAlive: boolean
}

/** @throws HttpProblem that says what is wrong with it. */
export function readResponseHead(firstLine: string, fields: Fields): ResponseHead {
  const match = /^HTTP\/(1\.[01]) ([1-5]\d\d)(?: |$)/.exec(firstLine)
  if (match === null)
    throw new HttpProblem(400, "an answer should begin with a line such as 'HTTP/1.1 200 OK'")
  const version = match[1] as string
  const status = Number(match[2])
  const bodiless = status < 200 || status === 204 || status === 304
  const said = readFraming(fields, version)
  const framing = bodiless ? noBody : (said ?? { kind: 'until-end' })
  const asked =
    version === '1.1' ? !fields.lists('connection', 'close') : fields.lists('connection', 'keep-alive')
  return { status, fields, framing, keepAlive: asked && framing.kind !== 'until-end' }
}
