import { encodeMessage, type FieldType, isMessageType } from '../../codecs/protobuf/index.ts'
import type { Output } from '../../core/bytes/output.ts'
import type { Call } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { listNames, showName } from '../../core/names.ts'
import { labRegistryService } from '../../discovery/api/lab-registry.ts'
import { type RequestType, requestTypes } from './detect.ts'
import { answerFor, argumentsByName, fieldFor, type Message } from './payload.ts'
import type { LabSchema, PayloadField } from './schema.ts'

/** What a client asks, and in which field of the response it expects the answer. */
export interface LabQuestion {
  readonly type: RequestType
  readonly answer: PayloadField | undefined
  readonly message: Message
}

/**
 * The request that a call is sent as.
 * @throws RpcError `invalid_argument` for a method or arguments that the messages have no place for.
 */
export function questionOf(schema: LabSchema, call: Call, time: string): LabQuestion {
  const { names } = schema.request
  const asked =
    call.service === labRegistryService ? registryQuestion(schema, call) : callQuestion(schema, call)
  return { ...asked, message: { ...asked.message, [names.type]: asked.type, [names.time]: time } }
}

function callQuestion(schema: LabSchema, call: Call): LabQuestion {
  const { names, payloads } = schema.request
  const field = fieldFor(call.method, payloads)
  const { list, named } = call.args
  if (field === undefined && (list.length > 0 || (named?.size ?? 0) > 0)) {
    const known = listNames(payloads.map(({ name }) => name)) || 'none'
    throw invalid(
      `the .proto has no field in Request for the arguments of ${showName(call.method)}; its fields: ${known}`,
    )
  }
  const message: Record<string, unknown> = { [names.service]: call.name }
  if (field !== undefined)
    message[field.property] = argumentsByName(call.args, {
      method: call.name,
      names: field.type.fields.map(({ property }) => property),
      takesObject: field.type.fields[0] !== undefined && takesObject(field.type.fields[0]),
    })
  return { type: 'call', answer: answerFor(schema, call.method, field), message }
}

function takesObject({ form, type }: FieldType): boolean {
  return form === 'map' || (form === 'single' && isMessageType(type))
}

const registryArguments: Readonly<Record<string, readonly string[]>> = {
  register: ['service', 'host', 'port'],
  discover: ['service'],
  heartbeat: ['host', 'port'],
}

function registryQuestion({ request: { names } }: LabSchema, call: Call): LabQuestion {
  const asked = requestTypes.find((known) => known === call.method && known !== 'call')
  if (asked === undefined)
    throw new RpcError('not_found', `a registry of these peers has no method ${showName(call.method)}`)
  const { service, ...server } = argumentsByName(call.args, {
    method: call.name,
    names: registryArguments[asked] ?? [],
    takesObject: false,
  })
  const message = {
    ...(asked !== 'heartbeat' && { [names.service]: service }),
    ...(asked !== 'discover' && { [names.server]: server }),
  }
  return { type: asked, answer: undefined, message }
}

/** @throws RpcError for what does not fit or is too large; nothing is then written. */
export function writeRequest(schema: LabSchema, question: LabQuestion, output: Output, limits: Limits): void {
  encodeMessage(schema.request.type, question.message, output, limits)
}

function invalid(message: string): RpcError {
  return new RpcError('invalid_argument', message)
}
