// What registries of the older systems have to do with ours where none of their programs is needed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { service } from 'farcall'
import { farcall } from './support/older-systems.ts'
import { startOurRegistry } from './support/our-registry.ts'
import { start } from './support/process.ts'

const math = service('math', { add: (a: number, b: number, c = 10) => a + b + c })

describe('the HTTP registry of the JSON lab', () => {
  it('another server at its address is told apart: it is an error, not a registry without servers', async () => {
    await using other = await farcall.serve([math], { port: 0 })
    const target = (other.targets[0] ?? '').replace('tcp:', 'lab-registry+http:')
    await using server = await farcall.serve([math], { port: 0, registry: target })
    await assert.rejects(server.registered, { message: /\/myRegistry\/unregister was answered with 4\d\d/ })
    await using client = farcall.connect(target, { timeoutMs: 300 })
    await assert.rejects(async () => client.service<typeof math>('math').add(1, 2), {
      code: 'deadline_exceeded',
      message: /findAllInstances\?proto=farcall was answered with 4\d\d/,
    })
  })
})

describe('a process', () => {
  it('that only closed its server and client ends, whatever the registry does', async () => {
    await using registry = await startOurRegistry()
    const target = `geerpc-registry+http://${registry.address}`
    const program = `
      import { connect, serve, service } from 'farcall'
      const server = await serve([service('Foo', { Sum: () => 3 })], { port: 0, registry: '${target}' })
      await server.registered
      const client = connect('${target}')
      console.log('sum', await client.service('Foo').Sum({}))
      await client.close()
      await server.close()`
    const args = ['--conditions=@farcall/source', '--input-type=module', '-e', program]
    await using child = start(process.execPath, args)
    const ended = once(child.child, 'close')
    await child.line(/sum 3/)
    assert.deepEqual(await ended, [0, null])
  })
})
