// How much our wire costs over a bare socket: echo of 32-byte frames, in windows, to a server in a process of its own.
// Both kinds and both flush policies take turns, so that a noisy machine disturbs all alike.
//
//   node --conditions=@farcall/source bench/special/transport.ts [rounds] [ms]

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { FlushPolicy } from '../../src/transports/output.ts'
import { createTcpTransport } from '../../src/transports/tcp.node.ts'
import type { Wire } from '../../src/transports/transport.ts'

const frameBytes = 32
const kinds = ['bare', 'coalesce', 'prompt'] as const
type Kind = (typeof kinds)[number]
type Ports = Record<Kind, number>

interface Shape {
  readonly connections: number
  readonly window: number
}
const shapes: readonly Shape[] = [
  { connections: 1, window: 1 },
  { connections: 1, window: 64 },
  { connections: 8, window: 64 },
]

/** Counts whole frames in chunks that may be cut anywhere. */
function frameCounter(onFrames: (count: number) => void): (chunk: Uint8Array) => void {
  let left = 0
  return (chunk) => {
    left += chunk.length
    const count = Math.floor(left / frameBytes)
    left -= count * frameBytes
    if (count > 0) onFrames(count)
  }
}

function writeFrames(wire: Wire, count: number): void {
  const { out } = wire
  for (let i = 0; i < count; i++) {
    out.ensure(frameBytes)
    out.bytes.fill(i, out.at, out.at + frameBytes)
    out.at += frameBytes
    out.commit()
  }
}

/** The bare way at its best: one write of all frames that came in one chunk, from a buffer that is kept. */
function writeBare(socket: Socket, count: number): void {
  const bytes = Buffer.allocUnsafe(count * frameBytes)
  for (let i = 0; i < count; i++) bytes.fill(i, i * frameBytes, (i + 1) * frameBytes)
  socket.write(bytes)
}

async function serve(): Promise<void> {
  const bare = createServer({ noDelay: true }, (socket) => {
    socket.on(
      'data',
      frameCounter((count) => writeBare(socket, count)),
    )
    socket.on('error', () => {})
  })
  bare.listen(0, '127.0.0.1')
  await once(bare, 'listening')
  const listen = async (flushPolicy: FlushPolicy) => {
    const listener = await createTcpTransport({ flushPolicy }).listen(
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
      (wire) => {
        wire.onData = frameCounter((count) => writeFrames(wire, count))
        wire.onEnd = () => wire.end()
      },
    )
    return (listener.address as { port: number }).port
  }
  const ports: Ports = {
    bare: (bare.address() as { port: number }).port,
    coalesce: await listen('coalesce'),
    prompt: await listen('prompt'),
  }
  process.send?.(ports)
}

/** Echoes per second over some connections of a kind. */
async function measure(kind: Kind, port: number, shape: Shape, ms: number): Promise<number> {
  let frames = 0
  let isOver = false
  const closers: (() => void)[] = []
  for (let i = 0; i < shape.connections; i++) {
    if (kind === 'bare') {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      await once(socket, 'connect')
      socket.on(
        'data',
        frameCounter((count) => {
          frames += count
          if (!isOver) writeBare(socket, count)
        }),
      )
      closers.push(() => socket.destroy())
      writeBare(socket, shape.window)
    } else {
      const transport = createTcpTransport({ flushPolicy: kind })
      const wire = await transport.dial(
        { transport: 'tcp', host: '127.0.0.1', port },
        AbortSignal.timeout(1000),
      )
      wire.onData = frameCounter((count) => {
        frames += count
        if (!isOver) writeFrames(wire, count)
      })
      closers.push(() => wire.close())
      writeFrames(wire, shape.window)
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  const [framesBefore, timeBefore] = [frames, performance.now()]
  await new Promise((resolve) => setTimeout(resolve, ms))
  const rate = ((frames - framesBefore) / (performance.now() - timeBefore)) * 1000
  isOver = true
  for (const close of closers) close()
  return rate
}

async function main(rounds: number, ms: number): Promise<void> {
  const server = fork(import.meta.filename, ['serve'], { execArgv: ['--conditions=@farcall/source'] })
  const [ports] = (await once(server, 'message')) as [Ports]
  for (const shape of shapes) {
    const rates: Record<Kind, number[]> = { bare: [], coalesce: [], prompt: [] }
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) rates[kind].push(await measure(kind, ports[kind], shape, ms))
    }
    const median = (kind: Kind) => rates[kind].sort((a, b) => a - b)[rounds >> 1] as number
    const shown = kinds.map(
      (kind) =>
        `${kind} ${Math.round(median(kind) / 1000)}k/s (x${(median(kind) / median('bare')).toFixed(2)})`,
    )
    console.log(`${shape.connections} connections, window ${shape.window}: ${shown.join(', ')}`)
  }
  server.kill()
}

if (process.argv[2] === 'serve') await serve()
else await main(Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 400))
