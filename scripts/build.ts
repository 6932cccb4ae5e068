import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, tsc } from './checkout.ts'

// From nothing, so that no file of a module that is gone gets published.
rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(...tsc(['-p', 'tsconfig.build.json']), { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
