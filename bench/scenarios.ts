import type { Load, Operation } from './harness/peer.ts'

/** A scenario that all peers take part in. */
export interface Scenario {
  readonly id: string
  readonly title: string
  readonly operation: Operation
  readonly inFlight: number
  readonly connections: number
  readonly payloadBytes: number
  /** Both processes on one core. */
  readonly pinned?: boolean
  /** What is counted. */
  readonly unit: 'calls' | 'items'
}

const small = { operation: 'add', payloadBytes: 0, unit: 'calls' } as const
const kib16 = { inFlight: 64, connections: 1, payloadBytes: 16 * 1024, unit: 'calls' } as const

export const scenarios: readonly Scenario[] = [
  {
    id: 'a',
    title: '1 call in flight, both sides on one core',
    ...small,
    inFlight: 1,
    connections: 1,
    pinned: true,
  },
  { id: 'b', title: '64 calls in flight on one connection', ...small, inFlight: 64, connections: 1 },
  { id: 'c', title: '512 calls in flight on 8 connections', ...small, inFlight: 512, connections: 8 },
  { id: 'd', title: 'echo of a 16 KiB string, 64 in flight', ...kib16, operation: 'text' },
  {
    id: 'e',
    title: 'a stream of 1,000,000 small items',
    operation: 'count',
    inFlight: 1,
    connections: 1,
    payloadBytes: 0,
    unit: 'items',
  },
  { id: 'f', title: 'echo of 16 KiB of bytes, 64 in flight', ...kib16, operation: 'bytes' },
  {
    id: 'g',
    title: 'echo of a 1 KiB nested object, 64 in flight',
    ...kib16,
    payloadBytes: 0,
    operation: 'nested',
  },
]

/** A scenario measured at several values of one of its numbers. */
export interface Curve {
  readonly id: string
  readonly title: string
  /** What the horizontal axis shows. */
  readonly axis: string
  readonly points: readonly { readonly x: number; readonly scenario: Scenario }[]
  readonly peers: readonly string[]
}

function points(values: readonly number[], at: (x: number) => Partial<Scenario>): Curve['points'] {
  const base = { id: '', title: '', ...small, inFlight: 64, connections: 1 }
  return values.map((x) => ({ x, scenario: { ...base, ...at(x) } }))
}

const nodePeers = ['farcall', 'raw', 'go-netrpc', 'grpc-js']

export const curves: readonly Curve[] = [
  {
    id: 'payload',
    title: 'CPU per call against payload size (echo of bytes, 64 in flight)',
    axis: 'bytes',
    points: points([16, 256, 1024, 4096, 16_384, 65_536, 262_144], (payloadBytes) => ({
      operation: 'bytes',
      payloadBytes,
    })),
    peers: nodePeers,
  },
  {
    id: 'concurrency',
    title: 'CPU per call against calls in flight (one connection)',
    axis: 'calls in flight',
    points: points([1, 4, 16, 64, 256, 1024], (inFlight) => ({ inFlight })),
    peers: nodePeers,
  },
  {
    id: 'connections',
    title: 'CPU per call against connections (16 calls in flight on each)',
    axis: 'connections',
    points: points([1, 4, 16, 64, 256], (connections) => ({ connections, inFlight: connections * 16 })),
    peers: nodePeers,
  },
]

export function loadOf(
  scenario: Scenario,
  times: { warmupMs: number; windowMs: number },
  serverPids: readonly number[],
): Load {
  const { operation, inFlight, connections, payloadBytes } = scenario
  return { operation, inFlight, connections, payloadBytes, serverPids, ...times }
}
