import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mock, test } from 'node:test'
import { type SignalSource, stopOnSignals } from './stop-on-signals.node.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

function start(closables: Parameters<typeof stopOnSignals>[0], options = {}) {
  const signals = new EventEmitter()
  const codes: number[] = []
  const stop = stopOnSignals(closables, {
    signals: signals as unknown as SignalSource,
    exit: (code) => codes.push(code),
    ...options,
  })
  return { signals, codes, stop }
}

test('everything is closed in order, then the process ends with 0', async () => {
  const order: unknown[] = []
  const closable = (name: string) => ({
    close: async (options: unknown) => {
      await turn()
      order.push(name, options)
    },
  })
  const { signals, codes } = start([closable('server'), closable('logger')], { graceMs: 5 })
  signals.emit('SIGTERM')
  await turn()
  await turn()
  await turn()
  assert.deepEqual(order, ['server', { graceMs: 5 }, 'logger', { graceMs: 5 }])
  assert.deepEqual(codes, [0])
})

test('one that fails does not keep the others open, but shows in the code', async () => {
  let closed = false
  const bad = { close: () => Promise.reject(new Error('no')) }
  const good = { close: async () => void (closed = true) }
  const { signals, codes } = start([bad, good])
  signals.emit('SIGINT')
  await turn()
  assert.equal(closed, true)
  assert.deepEqual(codes, [1])
})

test('a second signal ends it at once; the same key heard twice is one signal', async () => {
  const { signals, codes } = start([{ close: () => new Promise(() => {}) }])
  const now = mock.method(performance, 'now', () => 1_000)
  try {
    signals.emit('SIGINT')
    signals.emit('SIGINT')
    assert.deepEqual(codes, [])
    now.mock.mockImplementation(() => 2_000)
    signals.emit('SIGINT')
    assert.deepEqual(codes, [130])
    signals.emit('SIGTERM')
    assert.deepEqual(codes, [130, 143])
  } finally {
    now.mock.restore()
  }
})

test('a stop that hangs ends with 1', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { signals, codes, stop } = start([{ close: () => new Promise(() => {}) }], { timeoutMs: 500 })
  signals.emit('SIGTERM')
  t.mock.timers.tick(500)
  assert.deepEqual(codes, [1])
  stop()
  assert.equal(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM'), 0)
})
