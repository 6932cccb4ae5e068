import { decodeMessage } from '../../codecs/protobuf/index.ts'
import { remoteError, RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { showName } from '../../core/names.ts'
import { emptyMessage, type Message, present, resultOfMessage } from './payload.ts'
import type { LabQuestion } from './question.ts'
import type { LabSchema } from './schema.ts'

/**
 * What the response to a question says.
 * @throws the RpcError that it stands for, or one that says that it is none.
 */
export function readResponse(
  schema: LabSchema,
  question: LabQuestion,
  bytes: Uint8Array,
  limits: Limits,
): unknown {
  const { names, type: messageType } = schema.response
  let message: Message
  try {
    message = decodeMessage(messageType, bytes, limits)
  } catch (thrown) {
    throw unreadableAnswer(thrown)
  }
  const type = message[names.type] as string
  if (type !== 'success') return readFailure(question, type, message[names.content] as string)
  switch (question.type) {
    case 'register':
      return undefined
    case 'heartbeat':
      return true
    case 'discover':
      return message[names.servers]
    case 'call':
      return readResult(schema, question, message, limits)
  }
}

/** What is wrong with an answer is not the caller's fault. */
export function unreadableAnswer(thrown: unknown): RpcError {
  const { code, message } = RpcError.from(thrown)
  const why = `the answer cannot be read: ${message}`
  return new RpcError(code === 'invalid_argument' ? 'internal' : code, why, {
    cause: thrown,
    phase: 'receive',
  })
}

// How the request to register again is spelt is not known; a heartbeat has nothing else to do with that word.
const asksToRegister = /regist/i

function readFailure(question: LabQuestion, type: string, content: string): false {
  if (question.type === 'heartbeat' && asksToRegister.test(type)) return false
  if (type === '') throw new RpcError('internal', 'the answer has no type', { phase: 'receive' })
  const text = content === '' ? `the peer answered ${showName(type)}, and no reason` : content
  throw remoteError(codeOf(question, type), text, { phase: 'receive' })
}

function codeOf(question: LabQuestion, type: string): string {
  switch (type) {
    case 'fail':
      // The only thing that a registry can fail to find is a server.
      return question.type === 'discover' ? 'not_found' : 'unknown'
    case 'error':
      return 'unavailable'
    case 'timeout':
      return 'deadline_exceeded'
    default:
      return asksToRegister.test(type) ? 'failed_precondition' : 'unknown'
  }
}

function readResult(
  { response: { payloads } }: LabSchema,
  { answer }: LabQuestion,
  message: Message,
  limits: Limits,
): unknown {
  const found = present(message, payloads)
  const field = answer !== undefined && (found.includes(answer) || found.length !== 1) ? answer : found[0]
  if (field === undefined) return undefined
  const value = message[field.property] ?? emptyMessage(field.type, limits)
  return resultOfMessage(field.type, value as Message)
}
