import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './checkout.ts'
import { completeLock, type Lock, missingPlatforms } from './complete-lock.ts'

const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8')

test('the lockfile lists the tools for every platform', () => {
  const names = missingPlatforms(JSON.parse(lockfile) as Lock).map(({ name }) => name)
  assert.deepEqual(names, [], 'repair it with: npm run complete-lock')
})

test('the lockfile names no registry', () => {
  assert.doesNotMatch(lockfile, /"resolved": "http/)
})

test('what a registry did not have is added with its platform', () => {
  const optionalDependencies = { '@a/linux-x64-musl': '1.2.3', '@a/darwin-arm64': '1.2.3' }
  const lock = { packages: { 'node_modules/a': { version: '1.2.3', optionalDependencies } } }
  const { packages } = completeLock(lock)
  assert.deepEqual(packages['node_modules/@a/linux-x64-musl'], {
    version: '1.2.3',
    dev: true,
    optional: true,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['musl'],
  })
  assert.deepEqual(packages['node_modules/@a/darwin-arm64']?.['os'], ['darwin'])
})
