import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashText, mix } from './hash.ts'

describe('hashText', () => {
  it('is MurmurHash3 of the code units, as others compute it', () => {
    const known: [text: string, seed: number, hash: number][] = [
      ['', 0, 0],
      ['', 1, 0x514e28b7],
      ['', 0xffffffff, 0x81f16f39],
      ['\uffff\uffff', 0, 0x76293b50],
      ['\u4321\u8765', 0, 0xf55b516b],
      ['\u4321\u8765', 0x5082edee, 0x2362f9de],
      ['\u4321', 0, 0xa0f7b07a],
      ['\0', 0, 0x30f4c306],
      ['\0\0', 0, 0x2362f9de],
    ]
    for (const [text, seed, hash] of known) assert.equal(hashText(text, seed), hash, JSON.stringify(text))
  })

  it('spreads texts that differ in a digit', () => {
    const parts = new Uint32Array(64)
    for (let i = 0; i < 64_000; i++) parts[hashText(`user:${i}`, 0) >>> 26]!++
    for (const count of parts) assert.ok(Math.abs(count - 1_000) < 150, String(count))
  })
})

describe('mix', () => {
  it('gives different numbers for different ones', () => {
    const mixed = new Set(Array.from({ length: 100_000 }, (_, i) => mix(i * 3)))
    assert.equal(mixed.size, 100_000)
  })
})
