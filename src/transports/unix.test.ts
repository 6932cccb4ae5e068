import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transportSuite } from './transport.suite.ts'
import { createUnixTransport } from './unix.node.ts'

transportSuite('unix', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farcall-'))
  const transport = createUnixTransport()
  let made = 0
  return {
    server: transport,
    client: transport,
    free: () => ({ transport: 'unix', path: join(folder, `${++made}.sock`) }),
    nowhere: () => ({ transport: 'unix', path: join(folder, 'nowhere') }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
})
