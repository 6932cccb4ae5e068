import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Tools such as oxlint ship one package per platform, as optional dependencies. npm leaves those out of the lockfile
// that its registry does not have (many mirrors keep only some), and then `npm ci` refuses the lockfile. This adds
// what is missing: the version is fixed by the package that asks for it, the platform is said by the name.

interface LockedPackage {
  version?: string
  optional?: boolean
  optionalDependencies?: Record<string, string>
  [other: string]: unknown
}

export interface Lock {
  packages: Record<string, LockedPackage>
}

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']
const libraries: Record<string, string> = {
  musl: 'musl',
  musleabihf: 'musl',
  gnu: 'glibc',
  gnueabihf: 'glibc',
}

/** The optional packages that are asked for with an exact version and are not in the lockfile. */
export function missingPlatforms(lock: Lock): { name: string; version: string }[] {
  return Object.values(lock.packages)
    .flatMap((locked) => Object.entries(locked.optionalDependencies ?? {}))
    .filter(([name, version]) => /^\d/.test(version) && lock.packages[`node_modules/${name}`] === undefined)
    .map(([name, version]) => ({ name, version }))
}

/** The same lockfile with those packages, in npm's order. */
export function completeLock(lock: Lock): Lock {
  const added = missingPlatforms(lock).map(({ name, version }) => {
    const words = name.split(/[/-]/)
    const os = systems.filter((system) => words.includes(system))
    const cpu = processors.filter(
      (processor) => words.includes(processor) || words.includes(`${processor}_64`),
    )
    const libc = words.flatMap((word) => libraries[word] ?? [])
    const platform = { os, cpu, ...(libc.length > 0 && { libc }) }
    return [`node_modules/${name}`, { version, dev: true, optional: true, ...platform }] as const
  })
  const packages = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...lock, packages: Object.fromEntries(packages) }
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../package-lock.json', import.meta.url))
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock
  const missing = missingPlatforms(lock)
  if (missing.length > 0) writeFileSync(path, `${JSON.stringify(completeLock(lock), null, 2)}\n`)
  console.log(missing.length === 0 ? 'package-lock.json is complete' : `added ${missing.length} packages`)
}
