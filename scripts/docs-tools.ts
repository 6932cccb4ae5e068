import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { root } from './checkout.ts'

interface Tool {
  readonly probe: readonly [program: string, ...args: string[]]
  readonly advice: string
}

/** What a page may need beside Node: the peers in `tests/peers/` are in Go and Python. */
const tools: Readonly<Record<string, Tool>> = {
  go: { probe: ['go', 'version'], advice: 'go is not here: install Go 1.22 or newer' },
  python: {
    probe: ['python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 9))'],
    advice: 'python3 is not here, or older than 3.9',
  },
  protobuf: {
    probe: ['python3', '-c', 'import google.protobuf'],
    advice:
      'python3 has no package protobuf: python3 -m venv .cache/python && .cache/python/bin/pip install protobuf',
  },
}

export const toolNames: readonly string[] = Object.keys(tools)

/** The environment of blocks: the tools where they usually are, and the checkout, in which the peers are. */
export function toolEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = [join(root, '.cache/python/bin'), env['PATH'], '/usr/local/go/bin']
  // Go is to fetch nothing, and no newer toolchain either.
  const go = { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', GOWORK: 'off' }
  return { ...env, ...go, CHECKOUT: root, PATH: path.filter(Boolean).join(delimiter) }
}

/** Why a tool cannot be used here; undefined if it can. */
export function missing(name: string): string | undefined {
  const { probe, advice } = tools[name] as Tool
  const [program, ...args] = probe
  return spawnSync(program, args, { env: toolEnv(process.env) }).status === 0 ? undefined : advice
}
