import { encodeMessage } from '../../codecs/protobuf/index.ts'
import type { Output } from '../../core/bytes/output.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { showName } from '../../core/names.ts'
import { type Message, messageOfResult } from './payload.ts'
import type { LabRequest } from './request.ts'
import type { LabSchema } from './schema.ts'

/** What a response says. `fail`: the call failed. `error`: the request could not be read. */
export type ResponseType = 'success' | 'fail' | 'error' | 're-register'

export interface LabResponse {
  readonly type: ResponseType
  readonly content?: string
  readonly message?: Message
}

/**
 * The response to a request whose call came to this value.
 * @throws RpcError `invalid_argument` for a value that the messages have no place for.
 */
export function responseTo(schema: LabSchema, request: LabRequest, value: unknown): LabResponse {
  switch (request.type) {
    case 'register':
      return { type: 'success', content: 'registered' }
    case 'heartbeat':
      return value === false
        ? {
            type: 're-register',
            content: 'this server is not registered, or was heard of too late: register again',
          }
        : { type: 'success', content: 'alive' }
    case 'discover': {
      if (!Array.isArray(value))
        throw new RpcError('invalid_argument', 'a registry answers with a list of servers')
      if (value.length > 0) return { type: 'success', message: { [schema.response.names.servers]: value } }
      const [query] = request.args.list as readonly [{ readonly service: string }]
      return { type: 'fail', content: `no server offers ${showName(query.service)}` }
    }
    case 'call':
      return answerTo(request, value)
  }
}

function answerTo({ method, answer }: LabRequest, value: unknown): LabResponse {
  if (answer !== undefined)
    return { type: 'success', message: { [answer.property]: messageOfResult(answer.type, value) } }
  if (value === undefined || value === null) return { type: 'success' }
  throw new RpcError(
    'invalid_argument',
    `the .proto has no field in Response for the result of ${showName(method)}`,
  )
}

/** @throws RpcError for what does not fit or is too large; nothing is then written. */
export function writeResponse(
  schema: LabSchema,
  { type, content = '', message }: LabResponse,
  writing: { readonly output: Output; readonly limits: Limits; readonly time: string },
): void {
  const { names } = schema.response
  const whole = { ...message, [names.type]: type, [names.content]: content, [names.time]: writing.time }
  encodeMessage(schema.response.type, whole, writing.output, writing.limits)
}
