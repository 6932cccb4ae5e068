import { readFileSync } from 'node:fs'
import { decodeMessage, encodeMessage, type MessageType, readProto } from '../../codecs/protobuf/index.ts'
import { MemoryOutput } from '../../core/bytes/output.ts'
import type { Handler } from '../../core/layer.ts'
import { defaultLimits, type Limits } from '../../core/limits.ts'
import { seededRandom } from '../../core/random.ts'
import { createRouter } from '../../core/router.ts'
import { internalService, type Service, service } from '../../core/service.ts'
import { RpcError } from '../../core/error.ts'
import { labRegistryService, type LabServer } from '../../discovery/api/lab-registry.ts'
import { serveScript } from '../json-head/session-rig.suite.ts'
import { createLabProtobufProtocol } from './index.ts'

// What the tests of this folder share: the messages that the peers in Python have too, and a server for them.

const peers = new URL('../../../tests/peers/python/', import.meta.url)
export const moreProto: string = readFileSync(new URL('more.proto', peers), 'utf8')

const { messages } = await readProto([moreProto])
const requestType = messages.get('rpc.Request') as MessageType
const responseType = messages.get('rpc.Response') as MessageType

export const protocol = createLabProtobufProtocol({ proto: moreProto, wallClock: () => 0 })
await protocol.load()
/** What stands in the field `time` of all messages of this protocol. */
export const time = '1970-01-01T00:00:00.000Z'

type Message = Readonly<Record<string, unknown>>

export function request(message: Message): Uint8Array {
  return encode(requestType, message)
}

export function response(message: Message): Uint8Array {
  return encode(responseType, message)
}

export const readRequest = (bytes: Uint8Array): Message =>
  given(decodeMessage(requestType, bytes, defaultLimits))
export const readResponse = (bytes: Uint8Array): Message =>
  given(decodeMessage(responseType, bytes, defaultLimits))

function encode(type: MessageType, message: Message): Uint8Array {
  const output = new MemoryOutput()
  encodeMessage(type, message, output, defaultLimits)
  return output.take()
}

// Only what is not zero, and without the time.
function given(message: Message): Message {
  const isSaid = ([name, value]: [string, unknown]) =>
    name !== 'time' && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(message).filter(isSaid))
}

export const lab: Service = service('lab', {
  add: (a: number, b: number) => a + b,
  upper: (text: string) => text.toUpperCase(),
  divide(a: number, b: number) {
    if (b === 0) throw new RpcError('invalid_argument', 'division by zero')
    return { quotient: Math.floor(a / b), remainder: a % b }
  },
  find_user: (id: number, name = 'nobody') => ({ id, name, roles: ['reader'] }),
  crash() {
    throw new TypeError('secret')
  },
  ping: () => undefined,
  pong: () => 'pong',
  async *count(upTo: number) {
    for (let i = 0; i < upTo; i++) yield i
  },
})

/** A registry that knows one server of `add`, and hears of it late. */
export function fakeRegistry(asked: unknown[] = []): Service {
  return internalService(labRegistryService, {
    register: (registration: unknown) => void asked.push(registration),
    discover: (query: { service: string }): LabServer[] =>
      query.service === 'add' ? [{ host: '10.0.0.1', port: 50_000 }] : [],
    heartbeat(server: LabServer) {
      asked.push(server)
      return server.port === 50_000
    },
  })
}

export function handlerOf(...services: Service[]): Handler {
  const router = createRouter({ random: seededRandom(1), onInternalError: () => {} })
  for (const one of services) router.add(one)
  return router.handler
}

/** A server's side of one connection, with a script as its peer. */
export async function serve(handler: Handler = handlerOf(lab), limits: Partial<Limits> = {}) {
  const rig = await serveScript(protocol, handler, limits)
  const { peer, clock } = rig
  return {
    ...rig,
    async send(bytes: Uint8Array) {
      peer.send(bytes)
      await clock.settle()
    },
    /** The response, which is followed by the end. */
    async answer() {
      await clock.settle()
      if (!peer.hasEnded) throw new Error('the server has not answered')
      return readResponse(await peer.readToEnd())
    },
  }
}
