import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { root, tsc } from './checkout.ts'

// Makes `dist/`, or the folder that is named, of `src/`: types by the compiler, file for file, so that an editor goes from one to the other; code in a few
// files that the exports share, for Node takes 0.3 ms a module, and there are hundreds.

const outdir = resolve(root, process.argv[2] ?? 'dist')

/** Every file of `dist/` that package.json names, in its `exports`, `imports` and `bin`. */
function namedFiles(value: unknown): string[] {
  if (typeof value === 'string') return /^(?:\.\/)?dist\/.*\.js$/.test(value) ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(namedFiles)
}

const { exports, imports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: unknown
  imports: object
  bin: unknown
}
const entries = new Set(namedFiles([exports, imports, bin]).map((file) => file.replace(/^\.\//, '')))

// From nothing, so that no file of a module that is gone gets published.
rmSync(outdir, { recursive: true, force: true })
const types = tsc(['-p', 'tsconfig.build.json', '--outDir', outdir])
const { status } = spawnSync(...types, { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
await build({
  absWorkingDir: root,
  entryPoints: [...entries].map((file) => file.replace(/^dist\/(.*)\.js$/, 'src/$1.ts')),
  outdir,
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  packages: 'external',
  // Which platform it is, is for who installs the package to say.
  external: Object.keys(imports),
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
