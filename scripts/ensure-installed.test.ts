import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './checkout.ts'

interface Fixture {
  /** Versions in the lockfile; an optional one may be missing. */
  readonly locked: Record<string, { version: string; optional?: boolean }>
  /** Versions that npm says it installed; undefined where it never finished. */
  readonly installed: Record<string, { version: string }> | undefined
  /** Packages whose folder is there. */
  readonly present: readonly string[]
}

/** Runs the script in a checkout made up for it, with an npm that only says how it was called. */
function ensureInstalled({ locked, installed, present }: Fixture): string {
  const folder = mkdtempSync(join(tmpdir(), 'farcall-install-'))
  const packages = (versions: object) => {
    const entries = Object.entries(versions).map(([name, entry]) => [`node_modules/${name}`, entry])
    return JSON.stringify({ packages: { '': {}, ...Object.fromEntries(entries) } })
  }
  try {
    mkdirSync(join(folder, 'scripts'))
    mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true })
    for (const name of present) mkdirSync(join(folder, 'node_modules', name), { recursive: true })
    copyFileSync(join(root, 'scripts/ensure-installed.mjs'), join(folder, 'scripts/ensure-installed.mjs'))
    writeFileSync(join(folder, 'npm.mjs'), 'console.error("npm", process.argv[2])')
    writeFileSync(join(folder, 'package-lock.json'), packages(locked))
    if (installed) writeFileSync(join(folder, 'node_modules/.package-lock.json'), packages(installed))
    const env = { ...process.env, npm_execpath: join(folder, 'npm.mjs') }
    const script = join(folder, 'scripts/ensure-installed.mjs')
    return spawnSync(process.execPath, [script], { env, encoding: 'utf8' }).stderr
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const locked = { a: { version: '1.0.0' }, b: { version: '2.0.0', optional: true } }
const installed = { a: { version: '1.0.0' } }

test('nothing happens where all is installed; what is optional may be missing', () => {
  assert.equal(ensureInstalled({ locked, installed, present: ['a'] }), '')
})

test('an install that never finished is done again', () => {
  assert.match(
    ensureInstalled({ locked, installed: undefined, present: ['a'] }),
    /nothing is installed.*\nnpm ci\n$/,
  )
})

test('another version is replaced', () => {
  const stderr = ensureInstalled({ locked, installed: { a: { version: '0.9.0' } }, present: ['a'] })
  assert.match(stderr, /a is not at 1\.0\.0.*\nnpm ci\n$/)
})

test('what is missing is installed, also if npm thinks it is there', () => {
  assert.match(ensureInstalled({ locked, installed: {}, present: ['a'] }), /a is missing.*\nnpm ci\n$/)
  assert.match(ensureInstalled({ locked, installed, present: [] }), /a is missing.*\nnpm ci\n$/)
})
