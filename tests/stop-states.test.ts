import assert from 'node:assert/strict'
import { once } from 'node:events'
import { it } from 'node:test'
import { farcall, startRegistry, startTools } from './support/cli.ts'
import { startProgram, type TestProcess } from './support/process.ts'

// Any process can be stopped, whatever has become of the others: they are there, or frozen (connected, but mute, as a
// machine that was cut off), or dead. It leaves with code 0, and does not wait for who does not answer.
type Registry = 'up' | 'frozen' | 'dead'
type Other = 'alive' | 'frozen'
const signals = ['SIGINT', 'SIGTERM'] as const
const registryStates: readonly Registry[] = ['up', 'frozen', 'dead']
const otherStates: readonly Other[] = ['alive', 'frozen']

// The processes of one machine answer in milliseconds; the rest is for a machine under load.
const promptMs = 3_000
// Who does not answer is given a second or two at each of a few steps.
const frozenMs = 9_000

const orderly = { code: 0, signal: null }

/** Stops a process, and sees to it that it ends in order and in time. */
async function stopsWithin(ms: number, stopped: TestProcess, signal: NodeJS.Signals): Promise<void> {
  const startedAt = performance.now()
  const ended = await stopped.stop(signal)
  const tookMs = performance.now() - startedAt
  assert.deepEqual(ended, orderly, stopped.output)
  assert.ok(tookMs < ms, `${signal} took ${Math.round(tookMs)} ms:\n${stopped.output}`)
}

async function bring(registry: TestProcess, state: Registry): Promise<void> {
  if (state === 'frozen') freeze(registry)
  if (state === 'dead') await registry.stop('SIGKILL')
}

function freeze(...processes: readonly TestProcess[]): void {
  for (const { child } of processes) child.kill('SIGSTOP')
}

function thaw(...processes: readonly TestProcess[]): void {
  for (const { child } of processes) child.kill('SIGCONT')
}

function startCaller(
  target: string,
  servers: number,
  what: 'rest' | 'call' | 'stream' = 'rest',
): TestProcess {
  return startProgram('processes/caller.ts', [target, String(servers), what])
}

for (const registryState of registryStates) {
  for (const clientState of otherStates) {
    it(`a server stops while its registry is ${registryState} and its client ${clientState}`, async () => {
      await using registry = await startRegistry()
      const registered = ['--registry', registry.target]
      await using one = await startTools(registered)
      await using two = await startTools(registered)
      await using client = startCaller(registry.target, 2)
      await client.line(/ready/)
      await bring(registry, registryState)
      if (clientState === 'frozen') freeze(client)
      const ms = registryState === 'up' && clientState === 'alive' ? promptMs : frozenMs
      await Promise.all([stopsWithin(ms, one, 'SIGINT'), stopsWithin(ms, two, 'SIGTERM')])
      thaw(registry, client)
      await stopsWithin(frozenMs, client, 'SIGTERM')
    })
  }

  for (const serverState of otherStates) {
    it(`a client with a call in flight stops while its registry is ${registryState} and its server ${serverState}`, async () => {
      await using registry = await startRegistry()
      await using server = await startTools(['--registry', registry.target])
      await using one = startCaller(registry.target, 1, 'call')
      await using two = startCaller(registry.target, 1, 'stream')
      await Promise.all([one.line(/ready/), two.line(/ready/), server.line(/^waiting/m)])
      await bring(registry, registryState)
      if (serverState === 'frozen') freeze(server)
      const ms = registryState === 'up' && serverState === 'alive' ? promptMs : frozenMs
      await Promise.all([stopsWithin(ms, one, 'SIGINT'), stopsWithin(ms, two, 'SIGTERM')])
      assert.match(one.output, /ended: the client was closed before the call had ended/)
      thaw(registry, server)
      // It hears of the end when it wakes: nobody waits for the answer any more.
      await server.line(/given up/)
      await stopsWithin(frozenMs, server, 'SIGTERM')
    })
  }
}

for (const state of otherStates) {
  for (const signal of signals) {
    it(`a registry stops on ${signal} while its servers and watching clients are ${state}`, async () => {
      await using registry = await startRegistry()
      await using server = await startTools(['--registry', registry.target])
      await using client = startCaller(registry.target, 1)
      await client.line(/ready/)
      if (state === 'frozen') freeze(server, client)
      await stopsWithin(state === 'alive' ? promptMs : frozenMs, registry, signal)
      thaw(server, client)
      assert.equal((await farcall(['call', 'tools.add', '1', '2', '--at', server.target])).stdout, '13\n')
      await Promise.all([stopsWithin(frozenMs, server, signal), stopsWithin(frozenMs, client, signal)])
    })
  }
}

for (const what of ['call', 'stream'] as const) {
  it(`a server with a ${what} in flight for a frozen client stops when its grace is over`, async () => {
    await using server = await startTools(['--grace', '500'])
    await using client = startCaller(server.target, 1, what)
    await client.line(/ready/)
    if (what === 'call') await server.line(/^waiting/m)
    freeze(client)
    await stopsWithin(frozenMs, server, 'SIGTERM')
    thaw(client)
    await stopsWithin(promptMs, client, 'SIGTERM')
  })
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  it(`a second ${signal} ends a server at once that waits for a call`, async () => {
    await using server = await startTools()
    await using client = startCaller(server.target, 1, 'call')
    await Promise.all([client.line(/ready/), server.line(/^waiting/m)])
    server.child.kill(signal)
    await server.line(/stopping: .* 1 in flight may finish/)
    const ended = once(server.child, 'exit')
    // What comes within a moment of the first is taken for the same key.
    while (server.child.exitCode === null) {
      server.child.kill(signal)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(await ended, [code, null])
    await client.line(/ended: the connection to .* was lost/)
  })
}
