import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cacheDir, root } from '../../scripts/checkout.ts'

/** Programs that peers need. */
export type Program = 'go-peers' | 'go-module-peers' | 'nats-server'

const folder = join(cacheDir, 'bench')

// What Go builds, from where. Those with modules need the network once.
const builds: Readonly<Record<Program, { readonly cwd: string; readonly package: string }>> = {
  'go-peers': { cwd: 'bench/peers/go', package: '.' },
  'go-module-peers': { cwd: 'bench/peers/go-modules', package: '.' },
  'nats-server': { cwd: 'bench/peers/go-modules', package: 'github.com/nats-io/nats-server/v2' },
}

/** Where a program is: one that we built, or that the machine has. */
export function programPath(program: Program): string {
  const built = join(folder, program)
  return existsSync(built) ? built : (onPath(program) ?? built)
}

/** Builds a program where that is needed and can be done. Returns why it is not there, if so. */
export function buildProgram(program: Program): string | undefined {
  if (program === 'nats-server' && existsSync(programPath(program))) return undefined
  const go = onPath('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined)
  if (go === undefined)
    return program === 'nats-server' ? 'neither nats-server nor Go is here' : 'Go is not here'
  mkdirSync(folder, { recursive: true })
  const { cwd, package: from } = builds[program]
  if (!existsSync(join(folder, program))) console.error(`Building ${program}…`)
  const { status, stderr } = spawnSync(go, ['build', '-o', join(folder, program), from], {
    cwd: join(root, cwd),
    encoding: 'utf8',
  })
  return status === 0 ? undefined : `go build failed: ${stderr.trim().split('\n').at(-1)}`
}

/** The version of Go, if it is here. */
export function goVersion(): string | undefined {
  const { stdout } = spawnSync(onPath('go') ?? '/usr/local/go/bin/go', ['version'], { encoding: 'utf8' })
  return /go(\d[\d.]*)/.exec(stdout ?? '')?.[1]
}

export function onPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((each) => join(each, program)).find((file) => existsSync(file))
}
