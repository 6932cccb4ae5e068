#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Most commands are over in milliseconds: the second time, nothing is compiled any more.
enableCompileCache()
const { runProgram } = await import('./program.ts')
await runProgram(process.argv.slice(2))
