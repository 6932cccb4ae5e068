// Runs before every npm script, on whatever Node the machine has (18 or later), and makes the rest run on the Node
// that package.json asks for: npm puts node_modules/.bin first in PATH, and the `node` package is in there.
// Plain JavaScript, because an old Node must read it; no imports but Node's own, because nothing may be installed yet.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }>} */
function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

/** What differs between the lockfile and what npm says it installed; nothing, if all is in place. */
function difference() {
  // npm writes the second file as its last act, so an install that was broken off has none.
  const installedPath = `${root}/node_modules/.package-lock.json`
  if (!existsSync(installedPath) || !existsSync(`${root}/node_modules/node/bin`))
    return 'nothing is installed'
  const installed = readPackages(installedPath)
  for (const [path, wanted] of Object.entries(readPackages(`${root}/package-lock.json`))) {
    if (path === '' || wanted.optional) continue
    const name = path.replace('node_modules/', '')
    if (installed[path] === undefined || !existsSync(`${root}/${path}`)) return `${name} is missing`
    if (installed[path].version !== wanted.version) return `${name} is not at ${wanted.version}`
  }
  return undefined
}

const reason = difference()
if (reason !== undefined) {
  console.error(`Installing the dependencies (${reason}); this takes a moment…`)
  const npm = process.env.npm_execpath
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund']
  const { status } =
    npm === undefined
      ? spawnSync('npm', args, {
          cwd: root,
          stdio: ['ignore', 'ignore', 'inherit'],
          shell: process.platform === 'win32',
        })
      : spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) {
    console.error('The dependencies could not be installed. Run "npm ci" to see why.')
    process.exit(1)
  }
}
