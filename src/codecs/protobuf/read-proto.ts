import type { Root } from 'protobufjs'
import { RpcError } from '../../core/error.ts'
import { toMessageTypes } from './message-types.ts'
import type { MessageType } from './types.ts'

/** What a `.proto` describes. */
export interface Proto {
  /** All its messages, those inside others too, by their full names: `rpc.AddRequest`. */
  readonly messages: ReadonlyMap<string, MessageType>
  /** The messages of this name, in whatever package. */
  find(name: string): readonly MessageType[]
}

export interface ProtoOptions {
  /** Objects have `firstName` for a field `first_name`. Default false: names are as in the `.proto`. */
  readonly camelCase?: boolean
}

/**
 * Reads the texts of `.proto` files that belong together; of what they import, `google/protobuf/….proto` is there
 * already, the others are to be among them. The parser is loaded when this is first called.
 * @throws RpcError `invalid_argument` that says where a text is wrong.
 */
export async function readProto(texts: readonly string[], options: ProtoOptions = {}): Promise<Proto> {
  // Only here: who speaks no protobuf does not load it.
  const { default: protobuf } = await import('protobufjs')
  const root = new protobuf.Root()
  const imported = new Set<string>()
  for (const [at, text] of texts.entries()) {
    // The parser would pass over a field of this name without a word.
    if (text.includes('__proto__')) throw wrong(at, texts, "the name '__proto__' cannot be used")
    try {
      const { imports = [] } = protobuf.parse(text, root, { keepCase: true })
      for (const name of imports) imported.add(name)
    } catch (thrown) {
      throw wrong(at, texts, RpcError.from(thrown).message)
    }
  }
  const missing = [...imported].filter((name) => !addKnown(root, protobuf.common.get(name)))
  try {
    root.resolveAll()
    return createProto(toMessageTypes(root, protobuf, options.camelCase === true))
  } catch (thrown) {
    const hint = missing.length === 0 ? '' : ` (imported, to be given too: ${missing.join(', ')})`
    throw new RpcError('invalid_argument', `the .proto is wrong: ${RpcError.from(thrown).message}${hint}`)
  }
}

function addKnown(root: Root, known: { nested?: Parameters<Root['addJSON']>[0] } | null): boolean {
  if (known?.nested === undefined) return false
  root.addJSON(known.nested)
  return true
}

function createProto(all: readonly MessageType[]): Proto {
  const messages = new Map(all.map((message) => [message.name, message]))
  return {
    messages,
    find: (name) => all.filter((message) => message.name === name || message.name.endsWith(`.${name}`)),
  }
}

function wrong(at: number, texts: readonly string[], why: string): RpcError {
  const which = texts.length === 1 ? 'the .proto' : `the .proto number ${at + 1}`
  return new RpcError('invalid_argument', `${which} is wrong: ${why}`)
}
