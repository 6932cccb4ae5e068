import type { Arguments } from '../../core/call.ts'
import { RpcError } from '../../core/error.ts'
import { isStream } from '../../core/stream.ts'

/** How arguments are written: their form, the value for the codec, and the one argument that is a stream. */
export interface OutgoingArguments {
  readonly form: 'list' | 'named' | 'message'
  readonly value: unknown
  readonly position: number | string | undefined
  readonly stream: AsyncIterable<unknown> | undefined
}

/** Takes the stream, if there is one, out of the arguments: it travels in frames of its own. */
export function splitArguments(args: Arguments): OutgoingArguments {
  if (args.named !== undefined) return splitNamed(args.named)
  const { list } = args
  if (args.message === true)
    return { form: 'message', value: list[0], position: undefined, stream: undefined }
  let position = -1
  for (let i = 0; i < list.length; i++) {
    if (!isStream(list[i])) continue
    if (position !== -1) throw secondStream()
    position = i
  }
  if (position === -1) return { form: 'list', value: list, position: undefined, stream: undefined }
  return {
    form: 'list',
    value: list.with(position, null),
    position,
    stream: list[position] as AsyncIterable<unknown>,
  }
}

function splitNamed(named: ReadonlyMap<string, unknown>): OutgoingArguments {
  let position: string | undefined
  for (const [name, value] of named) {
    if (!isStream(value)) continue
    if (position !== undefined) throw secondStream()
    position = name
  }
  const plain = Object.fromEntries(named)
  if (position === undefined) return { form: 'named', value: plain, position, stream: undefined }
  return {
    form: 'named',
    value: { ...plain, [position]: null },
    position,
    stream: named.get(position) as AsyncIterable<unknown>,
  }
}

/**
 * Puts arguments together from what was decoded, with the stream in its place.
 * @throws RpcError `invalid_argument` for a value that is not of the form that was announced.
 */
export function joinArguments(
  form: 'list' | 'named' | 'message',
  value: unknown,
  position: number | string | undefined,
  stream: AsyncIterable<unknown> | undefined,
): Arguments {
  switch (form) {
    case 'message':
      return { list: [value], message: true }
    case 'list': {
      if (!Array.isArray(value)) throw new RpcError('invalid_argument', 'the arguments are not a list')
      if (stream === undefined) return { list: value }
      if (typeof position !== 'number' || position >= value.length)
        throw new RpcError('invalid_argument', 'the stream argument has no place in the list')
      return { list: value.with(position, stream) }
    }
    case 'named': {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new RpcError('invalid_argument', 'the arguments are not named')
      const named = new Map(Object.entries(value))
      if (stream !== undefined) named.set(String(position), stream)
      return { list: [], named }
    }
  }
}

function secondStream(): RpcError {
  return new RpcError(
    'invalid_argument',
    'a call can have one stream among its arguments, not two; send one of them as an array, or in another call',
  )
}
