/** What the bench asks of a peer. */
export type Operation = 'add' | 'text' | 'bytes' | 'nested' | 'count'

/** Something of about 1 KiB as JSON, with other things in it. */
export interface Nested {
  readonly total: number
  readonly page: number
  readonly items: readonly NestedItem[]
}

export interface NestedItem {
  readonly id: number
  readonly email: string
  readonly name: { readonly first: string; readonly last: string }
  readonly address: { readonly street: string; readonly city: string; readonly zip: string }
  readonly roles: readonly string[]
  readonly active: boolean
  readonly balance: number
}

/** One connection of a client, with the operations that the peer names. */
export interface Connection {
  readonly add?: (a: number, b: number) => PromiseLike<number>
  /** An echo. */
  readonly text?: (text: string) => PromiseLike<string>
  /** An echo. */
  readonly bytes?: (bytes: Uint8Array) => PromiseLike<Uint8Array>
  /** An echo. */
  readonly nested?: (value: Nested) => PromiseLike<Nested>
  /** 0, 1, 2 and so on: `upTo` items. */
  readonly count?: (upTo: number) => AsyncIterable<number>
  /** Frees what would keep the process alive. */
  close(): unknown
}

/** Where a server is to be reached, and the processes beside its own whose CPU and memory are part of its cost. */
export interface Started {
  readonly address: string
  readonly pids?: readonly number[]
}

interface Described {
  readonly name: string
  /** What it stands for, in one line. */
  readonly about: string
  readonly operations: readonly Operation[]
}

/** A peer that runs in Node, on the bench's own load generator. */
export interface NodePeer extends Described {
  readonly kind: 'node'
  /** What it needs in bench/node_modules. */
  readonly packages: readonly string[]
  /** A program that it needs, beside them; see programs.ts. */
  readonly program?: 'nats-server'
  start(): Promise<Started>
  connect(address: string): Promise<Connection>
}

/** A peer that is a program of its own, which speaks the same two command lines as harness/server.ts and client.ts. */
export interface ProgramPeer extends Described {
  readonly kind: 'program'
  readonly program: 'go-peers' | 'go-module-peers'
  /** Comes first on its command line. */
  readonly variant: string
}

/** A server in Node whose client is a program of its own. */
export interface ServedPeer extends Described {
  readonly kind: 'served'
  readonly program: 'go-peers'
  /** Of the client. */
  readonly variant: string
  start(): Promise<Started>
}

export type Peer = NodePeer | ProgramPeer | ServedPeer

/** What a client process is to do. */
export interface Load {
  readonly operation: Operation
  /** Altogether, spread over the connections. */
  readonly inFlight: number
  readonly connections: number
  /** The size of `text` and `bytes`. */
  readonly payloadBytes: number
  readonly warmupMs: number
  readonly windowMs: number
  /** Processes of the server, whose CPU is counted. */
  readonly serverPids: readonly number[]
}

/** What came of it, as one line of JSON. */
export interface Measured {
  /** Calls, or items of a stream. */
  readonly count: number
  readonly elapsedMs: number
  /** Of calls, in µs. */
  readonly p50?: number
  readonly p99?: number
  /** In µs, of all processes of a side together. */
  readonly serverCpu: number
  readonly clientCpu: number
  /** In bytes, at the end. */
  readonly serverRss: number
  readonly clientRss: number
}
