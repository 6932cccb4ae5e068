// From each of the older systems to ours, one process at a time, as docs/migrating.md says, with their programs as real
// processes. Clients call without a pause all the while, and the result of each call is looked at.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, type Layer, serve, type ServeOptions, silentLogger, startRegistry } from 'farcall'
import { cacheDir } from '../scripts/checkout.ts'
import { parsePage } from '../scripts/docs-page.ts'
import { bystander } from './support/bystander.ts'
import { buildGo, eventually, noGo } from './support/go-peer.ts'
import { goSystem, labJson, labProtobuf, type OldPart, type OldSystem } from './support/older-processes.ts'
import { start } from './support/process.ts'
import { noPythonProtobuf } from './support/protobuf-peer.ts'
import { noPython } from './support/python-peer.ts'

const skip = noGo()
const go = skip === false ? buildGo('system') : ''
const logger = silentLogger

const systems: readonly (readonly [name: string, skip: string | false, system: OldSystem])[] = [
  ['the Python system with JSON', noPython(), labJson],
  ['the Python system with protobuf', noPythonProtobuf(), labProtobuf],
  ['geerpc in Go', skip, goSystem('geerpc', go)],
  ['MyRPC in Go', skip, goSystem('myrpc', go)],
]

/** The processes of a test, which come and go while clients call. */
function begin(system: OldSystem) {
  const all = new AsyncDisposableStack()
  const clients = new Set<{ more(count: number): Promise<void> }>()

  function keepCalling(name: string, client: AsyncDisposable, call: () => Promise<unknown>) {
    all.use(client)
    const check = async () => assert.equal(await call(), system.result)
    const calls = all.use(bystander(check, { width: 1, name }))
    clients.add(calls)
    return {
      async stop() {
        clients.delete(calls)
        await calls.stop()
        await client[Symbol.asyncDispose]()
      },
    }
  }

  return {
    /** Waits until each client has made some more calls, all of them right. */
    everyoneCalls: () => Promise.all([...clients].map((client) => client.more(20))),
    use: <T extends AsyncDisposable>(one: T): T => all.use(one),
    theirClient(registry: string) {
      const client = system.startClient(registry)
      return keepCalling('a client of theirs', client, client.call)
    },
    ourClient(target: string) {
      const client = connect(target, { logger })
      return keepCalling('a client of ours', client, () => system.call(client))
    },
    async ourServer(options: ServeOptions) {
      let calls = 0
      const count: Layer = (next) => (call) => {
        calls++
        return next(call)
      }
      const server = all.use(await serve([system.service], { port: 0, logger, layers: [count], ...options }))
      await server.registered
      return Object.assign(server, {
        /** Resolves when it has got calls, now. */
        async isCalled() {
          const wanted = calls + 20
          await eventually(async () => assert.ok(calls >= wanted, 'it is called'))
        },
      })
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

for (const [name, reason, system] of systems)
  describe(`from ${name}`, { skip: reason }, () => {
    it('with the registry last, no call fails', async () => {
      await using house = begin(system)
      const oldRegistry = house.use(await system.startRegistry())
      const oldOne = house.use(await system.startServer(oldRegistry.address))
      const oldTwo = house.use(await system.startServer(oldRegistry.address))
      const old = system.target(oldRegistry.address)
      const first = house.theirClient(oldRegistry.address)
      const second = house.theirClient(oldRegistry.address)
      await house.everyoneCalls()

      // A registry of ours, beside theirs.
      const registry = house.use(await startRegistry({ port: 0, logger }))
      const target = registry.targets[0]?.replace('tcp:', 'registry:') ?? ''
      await house.everyoneCalls()

      // The clients, one by one.
      await second.stop()
      const third = house.ourClient(old)
      await house.everyoneCalls()

      // A server of ours, at both registries: it is called by their client and by ours.
      const one = await house.ourServer({ registry: [target, old] })
      await one.isCalled()
      await house.everyoneCalls()
      await first.stop()
      const fourth = house.ourClient(old)

      // The servers, one by one.
      await oldOne.stop('SIGINT')
      await house.everyoneCalls()
      const two = await house.ourServer({ registry: [target, old] })
      await oldTwo.stop('SIGINT')
      await two.isCalled()
      await house.everyoneCalls()

      // The clients are told of the new registry.
      await third.stop()
      house.ourClient(target)
      await house.everyoneCalls()
      await fourth.stop()
      house.ourClient(target)
      await house.everyoneCalls()

      // Theirs is not missed.
      await oldRegistry.stop('SIGKILL')
      await house.everyoneCalls()

      // Nobody speaks the old protocols any more, so they are switched off.
      const { port } = new URL(target.replace('registry:', 'http:'))
      await registry.close()
      await house.everyoneCalls()
      house.use(await startRegistry({ port: Number(port), logger, faces: false }))
      await house.everyoneCalls()
      const three = await house.ourServer({ registry: target, protocols: ['farcall', 'http'] })
      await three.isCalled()
      await one.close()
      await two.close()
      await house.everyoneCalls()
      await three.isCalled()
    })

    it('servers of ours that give notice long enough stop without a call of their clients failing', async () => {
      await using house = begin(system)
      const registry = house.use(await startRegistry({ port: 0, logger }))
      const place = registry.targets[0]?.replace('tcp://', '') ?? ''
      // Their clients ask every 100 ms.
      const options = { registry: `registry://${place}`, announceDrainMs: 400 }
      const one = await house.ourServer(options)
      const two = await house.ourServer(options)
      house.theirClient(system.address(place))
      await one.isCalled()
      await two.isCalled()
      await one.close()
      await house.everyoneCalls()
    })
  })

/** A program of a page, as a file in a folder where it finds the package. */
function programOf(page: string, file: string): AsyncDisposable & { readonly path: string } {
  const markdown = readFileSync(new URL(`../docs/${page}`, import.meta.url), 'utf8')
  const block = parsePage(markdown).blocks.find((one) => one.file === file)
  assert.ok(block !== undefined, `${page} has a ${file}`)
  mkdirSync(cacheDir, { recursive: true })
  const folder = mkdtempSync(join(cacheDir, 'migrating-'))
  const path = join(folder, file)
  writeFileSync(path, block.text)
  return { path, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) }
}

/** Runs the program of a page that takes the place of a registry, which it stops in time; gives our target. */
async function takeOver(
  house: ReturnType<typeof begin>,
  page: string,
  oldRegistry: OldPart,
): Promise<string> {
  const { path } = house.use(programOf(page, 'take-over.ts'))
  const { port } = new URL(oldRegistry.address.replace(/^(http:\/\/)?/, 'http://'))
  const ours = house.use(start(process.execPath, ['--conditions=@farcall/source', path, port]))
  await ours.line(/^servers known: 2; stop the old registry now$/m)
  await oldRegistry.stop('SIGTERM')
  await ours.line(/^this is the registry now$/m)
  return `registry://127.0.0.1:${port}`
}

describe('the registry first', () => {
  it('JSON: ours takes over, and no call of a client of theirs fails', { skip: noPython() }, async () => {
    await using house = begin(labJson)
    const oldRegistry = house.use(await labJson.startRegistry())
    const { address } = oldRegistry
    house.use(await labJson.startServer(address))
    house.use(await labJson.startServer(address))
    house.theirClient(address)
    await house.everyoneCalls()
    const target = await takeOver(house, 'migrating-json.md', oldRegistry)
    await house.everyoneCalls()
    house.ourClient(target)
    await house.everyoneCalls()
    const server = await house.ourServer({ registry: target })
    await server.isCalled()
    await house.everyoneCalls()
  })

  for (const family of ['geerpc', 'myrpc'] as const)
    it(`${family}: ours takes over, and has everybody at once, without a heartbeat`, { skip }, async () => {
      const system = goSystem(family, go)
      await using house = begin(system)
      const oldRegistry = house.use(await system.startRegistry())
      house.use(await system.startServer(oldRegistry.address))
      house.use(await system.startServer(oldRegistry.address))
      const target = await takeOver(house, 'migrating-go.md', oldRegistry)
      house.theirClient(oldRegistry.address)
      house.ourClient(target)
      await house.everyoneCalls()
      const server = await house.ourServer({ registry: target })
      await server.isCalled()
      await house.everyoneCalls()
    })

  it('protobuf: ours has everybody after a heartbeat', { skip: noPythonProtobuf() }, async () => {
    await using house = begin(labProtobuf)
    const oldRegistry = house.use(await labProtobuf.startRegistry())
    const { address } = oldRegistry
    house.use(await labProtobuf.startServer(address))
    house.use(await labProtobuf.startServer(address))
    await oldRegistry.stop('SIGTERM')
    const { port } = new URL(`http://${address}`)
    house.use(await startRegistry({ port: Number(port), logger }))
    const client = connect(`registry://${address}`, { logger })
    house.use(client)
    await eventually(async () => assert.equal((await client.refresh('')).length, 2))
    house.theirClient(address)
    house.ourClient(`registry://${address}`)
    await house.everyoneCalls()
  })
})
