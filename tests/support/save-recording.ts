import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Recording } from './recording-proxy.ts'

/** Writes what passed on a connection as fixtures of a protocol, a file for each direction. */
export async function saveRecording(
  protocol: string,
  name: string,
  recording: Recording | undefined,
): Promise<void> {
  if (recording === undefined) throw new Error(`${name} made no connection`)
  await recording.over
  const folder = fileURLToPath(new URL(`../../src/protocols/${protocol}/fixtures/`, import.meta.url))
  mkdirSync(folder, { recursive: true })
  for (const [mark, side] of [
    ['> ', 'client'],
    ['< ', 'server'],
  ] as const) {
    const hex = recording.lines.filter((line) => line.startsWith(mark) && !line.endsWith('end'))
    const bytes = Buffer.from(hex.map((line) => line.slice(mark.length)).join(''), 'hex')
    writeFileSync(`${folder}${name}.${side}.bin`, bytes)
  }
}
