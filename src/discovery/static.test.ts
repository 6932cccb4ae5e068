import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEndpoint } from '../core/endpoint.ts'
import { RpcError } from '../core/error.ts'
import { math } from './discovery.suite.ts'
import { Latest } from './latest.ts'
import { mergeResolvers } from './merge.ts'
import { createRegistryHarness } from './registry-harness.suite.ts'
import type { Resolver, Snapshot } from './resolver.ts'
import { createStaticResolver, parseStaticTarget, staticResolvers } from './static.ts'

const never = new AbortController().signal
const list = (...texts: string[]) => texts.map((text) => parseEndpoint(text))

describe('static lists', () => {
  it('are live at once, and can be replaced while they are watched', async () => {
    const resolver = createStaticResolver(list('tcp://a:1', 'geerpc+tcp://b:2'))
    const stop = new AbortController()
    const feed = resolver.watch({ service: 'any' }, stop.signal)[Symbol.asyncIterator]()
    const first = (await feed.next()).value
    assert.deepEqual([...(first?.instances.keys() ?? [])], ['tcp://a:1', 'geerpc+tcp://b:2'])
    assert.equal(first?.status, 'live')
    const next = feed.next()
    resolver.replace(list('tcp://c:3'))
    assert.deepEqual([...((await next).value?.instances.keys() ?? [])], ['tcp://c:3'])
    const last = feed.next()
    stop.abort()
    assert.equal((await last).done, true)
  })

  it('are filtered by what is known of them', async () => {
    const resolver = createStaticResolver(list('tcp://a:1', 'geerpc+tcp://b:2'))
    assert.equal((await resolver.refresh({ protocol: 'geerpc' }, never)).instances.size, 1)
    assert.equal((await resolver.refresh({ zone: 'west' }, never)).instances.size, 0)
  })

  it('are read from a target', () => {
    assert.deepEqual(parseStaticTarget('static:tcp://a:1, unix:/tmp/x'), list('tcp://a:1', 'unix:/tmp/x'))
    assert.deepEqual(parseStaticTarget('static:tcp://a:1?weight=3,tcp://b:1'), [
      { ...parseEndpoint('tcp://a:1'), weight: 3 },
      parseEndpoint('tcp://b:1'),
    ])
    assert.throws(() => parseStaticTarget('static:'), {
      code: 'invalid_argument',
      message: /for example static:/,
    })
    assert.throws(() => staticResolvers.create('static:a:1', createRegistryHarness().room), {
      code: 'invalid_argument',
    })
  })
})

describe('several sources as one', () => {
  const fixed = (snapshot: Partial<Snapshot>): Resolver => {
    const latest = new Latest<Snapshot>()
    latest.publish({ revision: '1', status: 'live', since: 1, instances: new Map(), ...snapshot })
    return { watch: (_query, signal) => latest.read(signal) }
  }
  const of = (...instances: (typeof math)[]) => new Map(instances.map((instance) => [instance.id, instance]))

  it('are united; of one id the higher incarnation wins', async () => {
    const newer = { ...math, incarnation: 2 }
    const merged = mergeResolvers([
      fixed({ instances: of(newer) }),
      fixed({ instances: of(math, { ...math, id: 'math-2' }), since: 5 }),
    ])
    const snapshot = await merged.refresh?.({}, never)
    assert.deepEqual([snapshot?.instances.size, snapshot?.status, snapshot?.since], [2, 'live', 5])
    assert.equal(snapshot?.instances.get('math-1'), newer)
  })

  it('are stale as long as one of them is not live, lost only together', async () => {
    const reason = new RpcError('unavailable', 'down')
    const lost = fixed({ status: 'lost', reason })
    const half = await mergeResolvers([fixed({ instances: of(math) }), lost]).refresh?.({}, never)
    assert.deepEqual([half?.status, half?.reason, half?.instances.size], ['stale', reason, 1])
    assert.equal((await mergeResolvers([lost, lost]).refresh?.({}, never))?.status, 'lost')
  })

  it('one that says nothing holds up no other; leaving leaves all', async () => {
    const silent = new Latest<Snapshot>()
    const source = createStaticResolver(list('tcp://a:1'))
    const merged = mergeResolvers([source, { watch: (_query, signal) => silent.read(signal) }])
    const feed = merged.watch({}, never)[Symbol.asyncIterator]()
    const first = (await feed.next()).value
    assert.deepEqual([first?.instances.size, first?.status], [1, 'stale'])
    const next = feed.next()
    source.replace(list('tcp://a:1', 'tcp://b:1'))
    assert.equal((await next).value?.instances.size, 2)
    const waiting = feed.next()
    await feed.return?.()
    assert.equal((await waiting).done, true)
  })
})
