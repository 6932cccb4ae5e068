// The example in three languages, as it is started by `npm run polyglot`.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { eventually, goEnv, noGo } from './support/go-peer.ts'
import { startProgram } from './support/process.ts'
import { noPython } from './support/python-peer.ts'

const polyglot = (env: Readonly<Record<string, string>>) =>
  startProgram('../examples/polyglot/main.ts', [], env)

const skip = noGo() || noPython()

describe('examples/polyglot', { skip }, () => {
  it('everyone calls everyone, and every result is right', async () => {
    await using running = polyglot({ PATH: goEnv.PATH })
    await once(running.child, 'close')
    assert.equal(running.child.exitCode, 0, running.output)
    const rows = Array.from(
      running.output.matchAll(/^(\w+) +(\w+) +(\S+) +42 +Hello Ada, this is (\w+)$/gm),
      ([, client, server, protocol, by]) => [client, server, protocol, by],
    )
    assert.deepEqual(rows, [
      ['TypeScript', 'TypeScript', 'farcall', 'TypeScript'],
      ['TypeScript', 'TypeScript', 'geerpc', 'TypeScript'],
      ['TypeScript', 'TypeScript', 'lab-json', 'TypeScript'],
      ['TypeScript', 'Go', 'geerpc', 'Go'],
      ['TypeScript', 'Python', 'lab-json', 'Python'],
      ['Go', 'TypeScript', 'geerpc', 'TypeScript'],
      ['Go', 'TypeScript', 'lab-json', 'TypeScript'],
      ['Go', 'Go', 'geerpc', 'Go'],
      ['Go', 'Python', 'lab-json', 'Python'],
      ['Python', 'TypeScript', 'geerpc', 'TypeScript'],
      ['Python', 'TypeScript', 'lab-json', 'TypeScript'],
      ['Python', 'Go', 'geerpc', 'Go'],
      ['Python', 'Python', 'lab-json', 'Python'],
    ])
    assert.match(running.output, /\nAll right\. 26 results were compared with what they should be\.\n$/)
  })

  it('stopped in the middle, it leaves no process behind', async () => {
    await using running = polyglot({ PATH: goEnv.PATH })
    await running.line(/^CLIENT/m)
    const places = Array.from(running.output.matchAll(/^ {3}\w+ +(127\S+)$/gm), ([, place]) => place)
    assert.equal(places.length, 4)
    assert.deepEqual(await running.stop('SIGTERM'), { code: 1, signal: null })
    for (const place of places)
      await eventually(() => assert.rejects(fetch(`http://${place}`), /fetch failed/))
  })

  it('says what is missing', async () => {
    await using running = polyglot({ PATH: '' })
    await running.line(/^python3 is not here: install Python/m)
    const { code } = await running.stop('SIGCONT')
    assert.equal(code, 2)
  })
})
