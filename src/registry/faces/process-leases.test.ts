import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatEndpoint } from '../../core/endpoint.ts'
import { decodeInstance, type InstanceData } from '../../discovery/api/instance-data.ts'
import { writeMetas } from '../../discovery/older/lab-meta.ts'
import { createFacesRig, type FacesRig } from './faces-rig.suite.ts'

const protos = ['farcall', 'json']

/** What a process of ours sends, an entry for each protocol. */
function entries(patch: Partial<InstanceData> = {}, port = 1) {
  const server = {
    id: 'math-1',
    incarnation: 5,
    services: [{ name: 'math', version: '2', methods: ['add'] }, { name: 'farcall.meta' }],
    endpoints: [`tcp://10.0.0.5:${port}`, `lab-json+tcp://10.0.0.5:${port}`],
    weight: 3,
    zone: 'west',
    metadata: { tenant: 'a', zone: 'not what it seems' },
    ...patch,
  }
  return writeMetas(decodeInstance(server, 'server'), protos) as [Entry, Entry]
}
type Entry = ReturnType<typeof writeMetas>[number]

const post = (rig: FacesRig, action: 'register' | 'unregister', body: object) =>
  rig.json(`/myRegistry/${action}`, { body })
const register = (rig: FacesRig, entry: object) => post(rig, 'register', entry)

/** The instances that there are, each with its endpoints. */
const held = ({ store }: FacesRig) =>
  [...store.instances()].map(({ id, endpoints }) => `${id}: ${endpoints.map(formatEndpoint).join(' ')}`)

const whole = 'json:math-1: tcp://10.0.0.5:1 lab-json+tcp://10.0.0.5:1'

describe('the entries of one process of ours in the registry of the Python systems', () => {
  it('are one instance, with all that the process says of itself', async () => {
    const rig = createFacesRig()
    for (const entry of entries()) assert.equal((await register(rig, entry)).value.status, true)
    assert.deepEqual(held(rig), [whole])
    const [instance] = rig.store.instances()
    const { services, weight, zone, metadata } = instance ?? {}
    assert.deepEqual([weight, zone], [3, 'west'])
    assert.deepEqual(services, [{ name: 'math', version: '2', methods: ['add'] }, { name: 'farcall.meta' }])
    const { id, tenant, zone: own, farcall } = metadata ?? {}
    assert.deepEqual([id, tenant, own, farcall], ['math-1', 'a', 'not what it seems', undefined])
    for (const [at, proto] of protos.entries()) {
      const { value } = await rig.json(`/myRegistry/findAllInstances?proto=${proto}&parameters.id=math-1`)
      assert.deepEqual(value, [{ ...entries()[at], status: true }], 'as it was sent')
    }
    rig.registry.close()
  })

  it('are no news when they come again, in whatever order', async () => {
    const rig = createFacesRig()
    const [own, json] = entries()
    for (const entry of [own, json]) await register(rig, entry)
    const { revision } = rig.store
    for (const entry of [json, own, own, json]) {
      await rig.clock.advance(2_500)
      await register(rig, entry)
    }
    assert.equal(rig.store.revision, revision)
    const [heavier] = entries({ weight: 4 })
    await register(rig, heavier)
    assert.deepEqual([...rig.store.instances()][0]?.weight, 4, 'a weight comes with the heartbeats')
    rig.registry.close()
  })

  it('leave one by one, also if only their places are named', async () => {
    const rig = createFacesRig()
    const [own, json] = entries()
    for (const entry of [own, json]) await register(rig, entry)
    await post(rig, 'unregister', { ...own, parameters: {} })
    assert.deepEqual(held(rig), ['json:math-1: lab-json+tcp://10.0.0.5:1'])
    const { value } = await rig.json('/myRegistry/findAllInstances?proto=json')
    assert.deepEqual(value, [{ ...json, status: true }])
    await post(rig, 'unregister', json)
    assert.deepEqual([held(rig), rig.store.leases], [[], 0])
    for (const entry of [json, own]) await register(rig, entry)
    assert.deepEqual(held(rig), [whole], 'whichever comes first, clients of ours go to our own protocol')
    rig.registry.close()
  })

  it('leave when they are not renewed: one by one while others are, and all with the last', async () => {
    const rig = createFacesRig()
    const [own, json] = entries()
    for (const entry of [own, json]) await register(rig, entry)
    const beat = async (entry: Entry) => {
      await rig.clock.advance(5_000)
      await register(rig, entry)
    }
    for (const entry of [json, json, own]) await beat(entry)
    assert.deepEqual(held(rig), [whole], 'a late one is still there')
    for (const entry of [json, json]) await beat(entry)
    assert.deepEqual(held(rig), [whole])
    await beat(json)
    assert.deepEqual(held(rig), ['json:math-1: lab-json+tcp://10.0.0.5:1'])
    await rig.clock.advance(10_500)
    assert.deepEqual(held(rig), [])
    for (const entry of [own, json]) await register(rig, entry)
    assert.deepEqual(held(rig), [whole])
    rig.registry.close()
  })

  it('stay for ever where leases have no end', async () => {
    const rig = createFacesRig({ json: { leaseMs: 0 } })
    const [own, json] = entries()
    await register(rig, own)
    for (let i = 0; i < 4; i++) {
      await rig.clock.advance(3_600_000)
      await register(rig, json)
    }
    assert.deepEqual(held(rig), [whole])
    rig.registry.close()
  })

  it('of two lives of a process the newer counts, and at one place whoever came last', async () => {
    const rig = createFacesRig()
    for (const entry of entries()) await register(rig, entry)
    const [own, json] = entries({ incarnation: 6 }, 2)
    await register(rig, own)
    assert.deepEqual(held(rig), ['json:math-1: tcp://10.0.0.5:2'])
    const late = await register(rig, entries()[0])
    assert.equal(late.status, 409)
    assert.match(late.value.error, /'math-1' is registered with incarnation 6, .* give each an id of its own/)
    await register(rig, json)
    assert.deepEqual(held(rig), ['json:math-1: tcp://10.0.0.5:2 lab-json+tcp://10.0.0.5:2'])
    await register(rig, entries({ incarnation: 4 }, 2)[0])
    assert.deepEqual(held(rig), ['json:math-1: tcp://10.0.0.5:2'], 'a clock that was set back')
    rig.registry.close()
  })

  it('a place is that of one instance: who registers there takes it over', async () => {
    const rig = createFacesRig()
    for (const entry of entries()) await register(rig, entry)
    const [own, json] = entries({ id: 'math-2', incarnation: 1 })
    await register(rig, own)
    assert.deepEqual(held(rig), ['json:math-1: lab-json+tcp://10.0.0.5:1', 'json:math-2: tcp://10.0.0.5:1'])
    await register(rig, json)
    assert.deepEqual(held(rig), ['json:math-2: tcp://10.0.0.5:1 lab-json+tcp://10.0.0.5:1'])
    await register(rig, { ...json, parameters: {} })
    assert.deepEqual(held(rig), [
      'json:math-2: tcp://10.0.0.5:1',
      'json:lab-json+tcp://10.0.0.5:1: lab-json+tcp://10.0.0.5:1',
    ])
    for (const entry of entries()) await register(rig, entry)
    assert.deepEqual(held(rig), [whole])
    rig.registry.close()
  })

  it('a process that calls itself like the place of somebody else takes nothing from him', async () => {
    const rig = createFacesRig()
    await register(rig, { protocol: 'json', host: '10.0.0.9', port: 1 })
    for (const entry of entries({ id: 'lab-json+tcp://10.0.0.9:1' })) await register(rig, entry)
    assert.deepEqual(
      [...rig.store.instances()].map(({ id }) => id),
      ['json:lab-json+tcp://10.0.0.9:1', 'json:tcp://10.0.0.5:1', 'json:lab-json+tcp://10.0.0.5:1'],
    )
    rig.registry.close()
  })

  it('older servers are told apart, whatever their authors call `id` and `farcall`', async () => {
    for (const farcall of [
      undefined,
      7,
      'yes',
      '{',
      '[]',
      '{}',
      '{"incarnation":"1"}',
      '{"incarnation":1,"metadata":7}',
    ]) {
      const rig = createFacesRig()
      for (const port of [1, 2]) {
        const parameters = { id: 'calculator', farcall, weight: 7, zone: 'x' }
        const { status } = await register(rig, { protocol: 'json', host: '10.0.0.5', port, parameters })
        assert.equal(status, 200, String(farcall))
      }
      assert.equal(rig.store.size, 2, String(farcall))
      assert.ok([...rig.store.instances()].every(({ weight, zone }) => weight === 1 && zone === undefined))
      rig.registry.close()
    }
  })

  it('what a process says of itself is checked, and what is refused changes nothing', async () => {
    const rig = createFacesRig()
    for (const entry of entries()) await register(rig, entry)
    const [own] = entries()
    const { parameters } = own
    const farcall = JSON.stringify({ incarnation: 5, services: [{ name: 7 }] })
    const refused = await register(rig, { ...own, port: 9, parameters: { ...parameters, farcall } })
    assert.deepEqual([refused.status, refused.value.error.slice(0, 25)], [400, 'instance.services[0].name'])
    assert.deepEqual(held(rig), [whole])
    for (let port = 2; port <= 80; port++) await register(rig, { ...own, port })
    const [instance] = rig.store.instances()
    assert.deepEqual([rig.store.size, instance?.endpoints.length], [1, 64])
    rig.registry.close()
  })

  it('whatever comes and goes: each registration is in the instance that it names, and nowhere else', async () => {
    const place = { port: fc.integer({ min: 1, max: 3 }), at: fc.constantFrom(0, 1) }
    const steps = fc.oneof(
      fc.record({ ...place, action: fc.constant('register'), id: fc.constantFrom(undefined, 'a', 'b') }),
      fc.record({ ...place, action: fc.constant('unregister'), id: fc.constant(undefined) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 30 }), async (list) => {
        const rig = createFacesRig()
        const expected = new Map<string, string>()
        for (const { action, port, at, id } of list) {
          const entry = entries({}, port)[at]
          const endpoint = `${at === 0 ? '' : 'lab-json+'}tcp://10.0.0.5:${port}`
          const parameters = id === undefined ? {} : { ...entry.parameters, id }
          await post(rig, action, { ...entry, parameters })
          if (action === 'unregister') expected.delete(endpoint)
          else expected.set(endpoint, `json:${id ?? endpoint}`)
          const found = [...rig.store.instances()].flatMap((one) =>
            one.endpoints.map((each) => [formatEndpoint(each), one.id] as const),
          )
          assert.equal(found.length, expected.size)
          assert.deepEqual(new Map(found), expected)
        }
        rig.registry.close()
      }),
    )
  })
})
