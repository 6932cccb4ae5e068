import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const env = {
  ...process.env,
  PATH: [process.env['PATH'], '/usr/local/go/bin'].join(delimiter),
  // The standard library only: nothing is to be fetched, and no newer toolchain either.
  GOFLAGS: '-mod=mod',
  GOPROXY: 'off',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
}

/**
 * Why the tests with peers in Go cannot run here, or false. In CI they must, so there it says false and they fail.
 */
export function noGo(): string | false {
  if (spawnSync('go', ['version'], { env }).status === 0 || process.env['CI'] !== undefined) return false
  return 'go is not here: install Go 1.19 or later (no packages are needed) to run the peers that are written in it'
}

/** Builds the program in tests/peers/go/<name>; disposing of it removes it. Throws with what the compiler says. */
export function buildGoPeer(name: string): { readonly program: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), `farcall-${name}-`))
  const program = join(folder, name)
  const cwd = fileURLToPath(new URL(`../peers/go/${name}`, import.meta.url))
  const built = spawnSync('go', ['build', '-o', program, '.'], { cwd, env, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`go build ${name}: ${built.error?.message ?? built.stderr}`)
  return { program, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
