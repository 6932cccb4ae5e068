import {
  type FieldType,
  isMessageType,
  type MessageType,
  type Proto,
  readProto,
} from '../../codecs/protobuf/index.ts'
import { RpcError } from '../../core/error.ts'
import { labProto } from './default-proto.ts'

/** A field that holds one message. */
export type PayloadField = FieldType & { readonly type: MessageType }

/** The messages around every call, and what they can carry. */
export interface LabSchema {
  readonly request: Envelope<'type' | 'service' | 'time' | 'server'>
  readonly response: Envelope<'type' | 'content' | 'time' | 'servers'>
}

/** One of the two messages: how its own fields are called on our side, and the fields that are the users'. */
export interface Envelope<Names extends string> {
  readonly type: MessageType
  readonly names: Readonly<Record<Names, string>>
  readonly payloads: readonly PayloadField[]
}

export interface LabSchemaOptions {
  /** The `.proto`, or several that belong together. Default: that of the lab, whose one service adds. */
  readonly proto?: string | readonly string[]
  /** See {@link LabProtobufOptions}. */
  readonly camelCase?: boolean
}

type Kind = 'string' | 'int32' | MessageType

/** @throws RpcError `invalid_argument` that says what is wrong with the `.proto`. */
export async function loadLabSchema({ proto = labProto, camelCase }: LabSchemaOptions): Promise<LabSchema> {
  const texts = typeof proto === 'string' ? [proto] : proto
  const read = await readProto(texts, { camelCase: camelCase === true })
  const server = onlyMessage(read, 'Server')
  checkField(server, { number: 1, kind: 'string', name: 'host' })
  checkField(server, { number: 2, kind: 'int32', name: 'port' })
  const text = (type: MessageType, number: number) => checkField(type, { number, kind: 'string' })
  const request = onlyMessage(read, 'Request')
  const response = onlyMessage(read, 'Response')
  return {
    request: {
      type: request,
      names: {
        type: text(request, 1),
        service: text(request, 2),
        time: text(request, 3),
        server: checkField(request, { number: 4, kind: server }),
      },
      payloads: payloadsOf(request),
    },
    response: {
      type: response,
      names: {
        type: text(response, 1),
        content: text(response, 2),
        time: text(response, 3),
        servers: checkField(response, { number: 4, kind: server, list: true }),
      },
      payloads: payloadsOf(response),
    },
  }
}

function onlyMessage(proto: Proto, name: string): MessageType {
  const found = proto.find(name)
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  const what =
    only === undefined
      ? `has no message ${name}`
      : `has several: ${found.map((message) => message.name).join(', ')}`
  throw new RpcError(
    'invalid_argument',
    `the .proto ${what}; it needs one Request, one Response and one Server`,
  )
}

/** Checks a field of the lab's own; gives what it is called on our side. */
function checkField(
  type: MessageType,
  { number, kind, list = false, name }: { number: number; kind: Kind; list?: boolean; name?: string },
): string {
  const field = type.byNumber.get(number)
  const isKind = typeof kind === 'string' ? field?.type.name === kind : field?.type === kind
  const isForm = field?.form === (list ? 'list' : 'single')
  if (isKind && isForm && (name === undefined || field.name === name)) return field.property
  const typeName = typeof kind === 'string' ? kind : kind.name
  const wanted = [list ? 'repeated' : '', typeName, name].filter(Boolean).join(' ')
  throw new RpcError(
    'invalid_argument',
    `the .proto is not that of the lab: field ${number} of ${type.name} should be ${wanted}`,
  )
}

function payloadsOf(type: MessageType): PayloadField[] {
  return type.fields.filter(
    (field): field is PayloadField =>
      field.number > 4 && field.form === 'single' && isMessageType(field.type),
  )
}
