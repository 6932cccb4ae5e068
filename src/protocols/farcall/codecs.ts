import type { Codec, CodecSession } from '../../core/codec.ts'
import { markNotExecuted, RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { definitionsFeature, type Preface } from './preface.ts'

/** @throws RpcError `invalid_argument` where there is no codec at all. */
export function firstCodec(codecs: readonly Codec[]): Codec {
  const [first] = codecs
  if (first === undefined)
    throw new RpcError('invalid_argument', 'the farcall protocol needs at least one codec')
  return first
}

/** A session of a codec, for what the peer can take; before its preface has come (`undefined`), the least. */
export function openCodec(codec: Codec, limits: Limits, peer: Preface | undefined): CodecSession {
  return codec.open(limits, { definitions: peer?.features.includes(definitionsFeature) ?? false })
}

/** @throws RpcError if the server chose another codec than the one that calls are already sent in. */
export function checkChosen(codec: Codec, peer: Preface): void {
  if (peer.codecs[0] === codec.name) return
  const message = `the server answers in codec '${peer.codecs[0]}', this client calls in '${codec.name}'`
  throw markNotExecuted(new RpcError('unimplemented', message, { phase: 'negotiate' }))
}

/**
 * The codec that the client began with.
 * @throws RpcError `unimplemented` that lists what is spoken.
 */
export function acceptCodec(codecs: readonly Codec[], peer: Preface): Codec {
  const wanted = peer.codecs[0]
  const codec = codecs.find(({ name }) => name === wanted)
  if (codec !== undefined) return codec
  const spoken = codecs.map(({ name }) => name).join(', ')
  throw new RpcError('unimplemented', `codec '${wanted ?? 'none'}' is not spoken here; spoken are: ${spoken}`)
}
