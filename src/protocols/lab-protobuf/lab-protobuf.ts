import { RpcError } from '../../core/error.ts'
import type { Protocol } from '../protocol.ts'
import { dialLabProtobuf } from './client.ts'
import { detectLabProtobuf } from './detect.ts'
import { LazySchema } from './lazy-schema.ts'
import type { LabParts } from './parts.ts'
import { acceptLabProtobuf } from './server.ts'

export interface LabProtobufOptions {
  /**
   * The `.proto`, or several that belong together: the lab's `Request` and `Response` with fields for the messages of
   * each method. Default: that of the lab, which has `add`.
   */
  readonly proto?: string | readonly string[]
  /** Methods meet `firstName` where the `.proto` has `first_name`. Default false: names are as in the `.proto`. */
  readonly camelCase?: boolean
  /**
   * How long a message that could be all of it waits for more, in milliseconds: a call without arguments, or a peer that
   * answers and does not end. Default 200, about the time after which TCP repeats what was lost.
   */
  readonly quietMs?: number
  /** Milliseconds since 1970, for the field `time`. Default `Date.now`. */
  readonly wallClock?: () => number
}

/** The protocol, which reads its `.proto` when it is first used. */
export interface LabProtobufProtocol extends Protocol {
  /**
   * Does now what is done at the first connection otherwise.
   * @throws RpcError `invalid_argument` that says what is wrong with the `.proto`.
   */
  load(): Promise<void>
}

/**
 * The protobuf protocol of the Python lab system: one request and one response for each connection, and no frame around
 * them. See SPEC.md.
 * @throws RpcError `invalid_argument` for a time that is none.
 */
export function createLabProtobufProtocol(options: LabProtobufOptions = {}): LabProtobufProtocol {
  const { quietMs = 200, wallClock = Date.now } = options
  if (!(Number.isFinite(quietMs) && quietMs > 0)) {
    throw new RpcError(
      'invalid_argument',
      `quietMs must be a number of milliseconds above 0, got ${String(quietMs)}`,
    )
  }
  const schema = new LazySchema(options)
  const parts: LabParts = { schema, quietMs, time: () => new Date(wallClock()).toISOString() }
  return {
    name: 'lab-protobuf',
    detect: detectLabProtobuf,
    can: {
      streams: false,
      metadata: false,
      cancel: false,
      deadline: false,
      calls: 'one-per-connection',
      bareNames: true,
    },
    accept: (wire, handler, room) => acceptLabProtobuf({ ...parts, wire, handler, room }),
    dial: (wire, room) => dialLabProtobuf({ ...parts, wire, room }),
    load: async () => void (await schema.load()),
  }
}

/** The protocol with the messages of the lab, which has `add`. */
export const labProtobufProtocol: LabProtobufProtocol = createLabProtobufProtocol()
