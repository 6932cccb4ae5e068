import { RpcError } from '../../core/error.ts'
import { detectJsonKey } from '../json-head/keys.ts'
import type { Protocol, Room } from '../protocol.ts'
import { dialLabJson } from './client.ts'
import { acceptLabJson, originalReadBytes } from './server.ts'

// Servers that have been told that the original clients cannot read an answer of theirs.
const told = new WeakSet<Room>()

/**
 * The JSON protocol of the Python lab systems: one request, `{"method_name", "method_args", "method_kwargs"}`, one
 * answer, `{"res": …}`, and no frame around them. See SPEC.md.
 */
export const labJsonProtocol: Protocol = {
  name: 'lab-json',
  detect: detectJsonKey('method_name'),
  can: {
    streams: false,
    metadata: false,
    cancel: false,
    deadline: false,
    calls: 'one-per-connection',
    bareNames: true,
  },
  accept: (wire, handler, room) =>
    acceptLabJson({ wire, handler, room, onLongReply: (name, length) => warnOnce(room, name, length) }),
  dial: dialLabJson,
}

// Not an error: our own clients read it. But who still has the original ones should know why theirs get nothing.
function warnOnce(room: Room, method: string, length: number): void {
  if (told.has(room)) return
  told.add(room)
  const message = `an answer of ${method} has ${length} bytes; original lab clients read no more than ${originalReadBytes} (said once)`
  room.report(new RpcError('resource_exhausted', message), { event: 'long-reply', method, length })
}
