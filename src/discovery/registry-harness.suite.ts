import type { Call } from '../core/call.ts'
import { markNotExecuted, RpcError } from '../core/error.ts'
import type { Handler } from '../core/layer.ts'
import { silentLogger } from '../core/log.ts'
import { seededRandom } from '../core/random.ts'
import { fail } from '../core/settle.ts'
import { isStream } from '../core/stream.ts'
import { createRegistry, type Registry, type RegistryOptions } from '../registry/index.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import type { FeedItem } from './api/messages.ts'
import type { DiscoveryHarness, Outage } from './discovery.suite.ts'
import { createRegistryRegistrar } from './registry-registrar.ts'
import { createRegistryResolver } from './registry-resolver.ts'
import type { DiscoveryRoom } from './source.ts'

const target = 'registry://127.0.0.1:9999'

/** A registry in this process, reached without bytes by lines that can be cut. */
export interface RegistryHarness extends DiscoveryHarness {
  readonly clock: VirtualClock
  readonly registry: Registry
  readonly room: DiscoveryRoom
  /** All requests that arrived, by method. */
  readonly requests: Map<string, number>
  roomOn(line: Line): DiscoveryRoom
  readonly resolverLine: Line
  readonly registrarLine: Line
}

/** Who is cut off, and how. */
export interface Line {
  outage: Outage | undefined
  /** The outage begins or ends: streams hear of it. */
  set(outage: Outage | undefined): void
  readonly handler: Handler
}

/** Makes one; the same seed gives the same run. */
export function createRegistryHarness(seed = 1, options: RegistryOptions = {}): RegistryHarness {
  const clock = createVirtualClock()
  const random = seededRandom(seed)
  const requests = new Map<string, number>()
  let registry = createRegistry({ clock, random }, options)
  const breakers = new Set<() => void>()

  function answer(call: Call, line: Line, isEmpty: () => boolean): unknown {
    requests.set(call.method, (requests.get(call.method) ?? 0) + 1)
    const method = registry.methods[call.method as keyof Registry['methods']]
    const reply = (method.fn as (request: unknown) => unknown)(structuredClone(call.args.list[0]))
    if (isStream(reply)) return carry(reply as AsyncIterable<FeedItem>, call, line)
    if (!isEmpty() || call.method !== 'list') return structuredClone(reply)
    return { revision: registry.store.revision, instances: [] }
  }

  function carry(items: AsyncIterable<FeedItem>, call: Call, line: Line): AsyncIterable<unknown> {
    const source = items[Symbol.asyncIterator]()
    const broken = Promise.withResolvers<never>()
    broken.promise.catch(() => {})
    const check = () => {
      if (line.outage === 'down') broken.reject(new RpcError('unavailable', 'the connection broke'))
    }
    breakers.add(check)
    const end = (error?: RpcError) => {
      breakers.delete(check)
      void source.return?.()
      call.end(error)
    }
    call.onCancel(end)
    const next = async (): Promise<IteratorResult<unknown>> => {
      const result = await Promise.race([source.next(), broken.promise])
      if (line.outage === 'hanging') return new Promise(() => {})
      if (result.done === true) {
        end()
        return { done: true, value: undefined }
      }
      return { done: false, value: structuredClone(result.value) }
    }
    const emptied = async (): Promise<IteratorResult<unknown>> => {
      await source.next()
      const { revision } = registry.store
      return { done: false, value: { kind: 'snapshot', revision, reset: true, instances: [] } }
    }
    let first = line.outage === 'empty'
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          if (!first) return next()
          first = false
          return emptied()
        },
        return: async () => {
          end()
          return { done: true, value: undefined }
        },
      }),
    }
  }

  function createLine(): Line {
    const line: Line = {
      outage: undefined,
      set(outage) {
        line.outage = outage
        for (const check of breakers) check()
      },
      handler(call) {
        if (line.outage === 'down') {
          return fail(call, markNotExecuted(new RpcError('unavailable', 'connection refused')))
        }
        if (line.outage === 'hanging') return new Promise(() => {})
        try {
          return answer(call, line, () => line.outage === 'empty')
        } catch (error) {
          return fail(call, RpcError.from(error))
        }
      },
    }
    return line
  }

  const resolverLine = createLine()
  const registrarLine = createLine()
  const roomOn = (line: Line): DiscoveryRoom => ({
    clock,
    random,
    logger: silentLogger,
    reach: () => ({ call: line.handler, [Symbol.asyncDispose]: async () => {} }),
  })
  return {
    clock,
    requests,
    resolverLine,
    registrarLine,
    roomOn,
    room: roomOn(createLine()),
    get registry() {
      return registry
    },
    newResolver: () => createRegistryResolver(target, roomOn(resolverLine)),
    newRegistrar: () => createRegistryRegistrar(target, roomOn(registrarLine)),
    cutResolvers: resolverLine.set,
    cutRegistrars: registrarLine.set,
    restart() {
      registry.close()
      registry = createRegistry({ clock, random }, options)
    },
    close: () => registry.close(),
  }
}
