import { createMemoryTransport } from './memory.ts'
import { transportSuite } from './transport.suite.ts'

transportSuite('memory', async () => {
  const transport = createMemoryTransport()
  let made = 0
  return {
    server: transport,
    client: transport,
    free: () => ({ transport: 'memory', name: `free-${++made}` }),
    nowhere: () => ({ transport: 'memory', name: 'nowhere' }),
    async [Symbol.asyncDispose]() {},
  }
})
