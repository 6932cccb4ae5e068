import type { Codec, CodecSession } from '../../core/codec.ts'
import { markNotExecuted, RpcError } from '../../core/error.ts'
import type { Limits } from '../../core/limits.ts'
import { definitionsFeature, type Preface } from './preface.ts'

/** The client's side of the choice: it begins with its first codec, and learns from the preface what that may do. */
export class OfferedCodec {
  readonly names: readonly string[]
  readonly session: CodecSession

  constructor(codecs: readonly Codec[], limits: Limits) {
    const [first] = codecs
    if (first === undefined) throw new RpcError('invalid_argument', 'the farcall protocol needs at least one codec')
    this.names = codecs.map((codec) => codec.name)
    this.session = first.open(limits)
    // Before its preface has come, nothing is known of what the peer can take.
    this.session.mayDefine = false
  }

  /** @throws RpcError if the server chose another codec than the one that calls are already sent in. */
  agree(preface: Preface): void {
    if (preface.codecs[0] !== this.names[0]) {
      throw markNotExecuted(new RpcError('unimplemented', `the server answers in codec '${preface.codecs[0]}', this client calls in '${this.names[0]}'`, { phase: 'negotiate' }))
    }
    this.session.mayDefine = preface.features.includes(definitionsFeature)
  }
}

/**
 * The server's side: the codec that the client began with.
 * @throws RpcError `unimplemented` that lists what is spoken.
 */
export function acceptCodec(codecs: readonly Codec[], limits: Limits, preface: Preface): { name: string; session: CodecSession } {
  const wanted = preface.codecs[0]
  const codec = codecs.find(({ name }) => name === wanted)
  if (codec === undefined) {
    const spoken = codecs.map(({ name }) => name).join(', ')
    throw new RpcError('unimplemented', `codec '${wanted ?? 'none'}' is not spoken here; spoken are: ${spoken}`)
  }
  const session = codec.open(limits)
  session.mayDefine = preface.features.includes(definitionsFeature)
  return { name: codec.name, session }
}
