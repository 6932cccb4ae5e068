import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FlushPolicy, PooledOutput } from './output.ts'
import { bufferBytes, OutputPool } from './output-pool.ts'

function room(options: { policy?: FlushPolicy; takes?: boolean } = {}) {
  const deferred: (() => void)[] = []
  const pool = new OutputPool((fn) => deferred.push(fn))
  const endTurn = () => {
    for (const fn of deferred.splice(0)) fn()
  }
  const create = () => {
    const writes: Uint8Array[] = []
    const sink = {
      takes: options.takes ?? true,
      unsent: 0,
      write(bytes: Uint8Array) {
        writes.push(this.takes ? bytes.slice() : bytes)
        if (!this.takes) this.unsent += bytes.length
        return this.takes
      },
    }
    return { out: new PooledOutput(sink, { policy: options.policy, pool }), sink, writes }
  }
  return { pool, create, endTurn, deferred }
}

function frame(out: PooledOutput, size: number, { fill = 1, prompt = true } = {}): void {
  out.ensure(size)
  out.bytes.fill(fill, out.at, out.at + size)
  out.at += size
  out.commit(prompt)
}

const sizes = (writes: readonly Uint8Array[]) => writes.map((bytes) => bytes.length)

test('all frames of a turn leave together, once', () => {
  const { create, endTurn, deferred } = room({ policy: 'coalesce' })
  const { out, writes } = create()
  for (let i = 0; i < 100; i++) frame(out, 10)
  assert.equal(out.queued, 1000)
  assert.equal(deferred.length, 1)
  endTurn()
  assert.deepEqual(sizes(writes), [1000])
  assert.equal(out.queued, 0)
  out.flush()
  assert.equal(writes.length, 1)
})

test('prompt: a connection alone sends its first 8 frames at once, then 16, 32; the cap starts anew each turn', () => {
  const { create, endTurn } = room()
  const { out, writes } = create()
  for (let turn = 0; turn < 2; turn++) {
    frame(out, 1)
    endTurn()
  }
  writes.length = 0
  for (let turn = 0; turn < 2; turn++) {
    for (let i = 0; i < 60; i++) frame(out, 1)
    endTurn()
  }
  assert.deepEqual(sizes(writes), [8, 16, 32, 4, 8, 16, 32, 4])
})

test('prompt: no early flush once another connection is busy too, nor for stream items', () => {
  const { create, endTurn } = room()
  const [one, two] = [create(), create()]
  for (let turn = 0; turn < 5; turn++) {
    for (let i = 0; i < 50; i++) {
      frame(one.out, 1)
      frame(two.out, 1)
    }
    endTurn()
  }
  // Also when each has a turn of its own, as the sockets of Node do.
  for (let turn = 0; turn < 10; turn++) {
    for (let i = 0; i < 50; i++) frame(turn % 2 === 0 ? one.out : two.out, 1)
    endTurn()
  }
  assert.deepEqual(new Set([...sizes(one.writes), ...sizes(two.writes)]), new Set([50]))
  two.writes.length = 0
  for (let turn = 0; turn < 5; turn++) {
    for (let i = 0; i < 50; i++) frame(two.out, 1, { prompt: false })
    endTurn()
  }
  assert.deepEqual(sizes(two.writes), [50, 50, 50, 50, 50])
})

test('more than 48 KiB leave before the end of the turn', () => {
  const { create, endTurn } = room({ policy: 'coalesce' })
  const { out, writes } = create()
  for (let i = 0; i < 10; i++) frame(out, 6000)
  assert.deepEqual(sizes(writes), [54_000])
  endTurn()
  writes.length = 0
  for (let i = 0; i < 10; i++) frame(out, 6000, { prompt: false })
  assert.deepEqual(sizes(writes), [54_000])
})

test('a frame is never sent in part: what is not committed stays, at the front', () => {
  const { create, endTurn } = room()
  const { out, writes } = create()
  frame(out, 5, { fill: 1 })
  out.ensure(3)
  out.bytes.fill(2, out.at, out.at + 3)
  out.at += 3
  endTurn()
  assert.deepEqual(sizes(writes), [5])
  assert.equal(out.at, 3)
  out.ensure(1)
  out.bytes[out.at++] = 3
  out.commit()
  endTurn()
  assert.deepEqual([...(writes[1] as Uint8Array)], [2, 2, 2, 3])
})

test('what is taken out is the caller’s, and what stands before it stays', () => {
  const { create, endTurn } = room()
  const { out, writes } = create()
  for (const size of [100, 3 * bufferBytes]) {
    writes.length = 0
    frame(out, 5, { fill: 1 })
    out.ensure(size)
    out.bytes.fill(2, out.at, out.at + size)
    out.at += size
    const taken = out.take(5)
    assert.equal(out.at, 5)
    out.ensure(size)
    out.bytes.fill(3, out.at, out.at + size)
    out.at += size
    out.commit()
    endTurn()
    assert.equal(taken.length, size)
    assert.ok(taken.every((byte) => byte === 2))
    assert.deepEqual(sizes(writes), [5 + size])
    assert.deepEqual([...(writes[0] as Uint8Array).subarray(0, 6)], [1, 1, 1, 1, 1, 3])
  }
})

test('ensure keeps positions and contents, however far it grows', () => {
  const { create, endTurn } = room()
  const { out, writes } = create()
  out.ensure(10)
  out.bytes.fill(9, 0, 10)
  out.at = 10
  for (const size of [bufferBytes, 3 * bufferBytes, 20 * bufferBytes]) {
    out.ensure(size)
    assert.equal(out.at, 10)
    assert.ok(out.bytes.subarray(0, 10).every((byte) => byte === 9))
    assert.ok(out.bytes.length >= size + 10)
  }
  out.at = 20 * bufferBytes
  out.commit()
  endTurn()
  assert.deepEqual(sizes(writes), [20 * bufferBytes])
  // An oversized buffer is not kept for others.
  out.ensure(1)
  assert.equal(out.bytes.length, bufferBytes)
})

test('an idle output holds no buffer, and the next one uses the same', () => {
  const { create, endTurn } = room()
  const [one, two] = [create(), create()]
  frame(one.out, 10)
  const buffer = one.out.bytes
  endTurn()
  assert.equal(one.out.bytes.length, 0)
  frame(two.out, 10)
  assert.equal(two.out.bytes, buffer)
})

test('of many that are written to in one turn the first leave before it is over, and their buffers serve the others', () => {
  const { create, endTurn, deferred } = room()
  const all = Array.from({ length: 1_000 }, create)
  const buffers = new Set<Uint8Array>()
  for (const { out } of all) {
    frame(out, 10)
    buffers.add(out.bytes)
  }
  assert.ok(buffers.size < 40, `${buffers.size} buffers`)
  assert.equal(all.filter(({ writes }) => writes.length === 1).length, 992)
  assert.equal(deferred.length, 1)
  endTurn()
  assert.ok(all.every(({ writes, out }) => writes.length === 1 && out.queued === 0))
})

test('a buffer that the system has not taken is not written to until it has', () => {
  const { create, endTurn, pool } = room({ takes: false })
  const { out, writes } = create()
  frame(out, 10, { fill: 1 })
  const first = out.bytes
  endTurn()
  frame(out, 10, { fill: 2 })
  assert.notEqual(out.bytes, first)
  endTurn()
  assert.deepEqual(sizes(writes), [10, 10])
  assert.ok((writes[0] as Uint8Array).every((byte) => byte === 1))
  assert.equal(out.queued, 20)
  out.reclaim()
  assert.ok([pool.take(), pool.take()].includes(first))
})

test('what promise reactions write leaves with what the turn before them wrote', async () => {
  const writes: number[] = []
  const sink = { unsent: 0, write: (bytes: Uint8Array) => writes.push(bytes.length) > 0 }
  const out = new PooledOutput(sink, { policy: 'coalesce' })
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      frame(out, 10)
      void Promise.resolve()
        .then(() => frame(out, 10))
        .then(() => setImmediate(resolve))
    })
  })
  assert.deepEqual(writes, [20])
})

test('what a connection that is gone had not sent is forgotten', () => {
  const { create, endTurn } = room()
  const { out, writes } = create()
  frame(out, 10)
  out.discard()
  endTurn()
  assert.equal(writes.length, 0)
  assert.equal(out.queued, 0)
})

test('buffers are plain Uint8Arrays: a slice is a copy', () => {
  const bytes = new OutputPool(() => {}).take()
  bytes[0] = 1
  const copy = bytes.slice(0, 1)
  bytes[0] = 2
  assert.equal(copy[0], 1)
})
