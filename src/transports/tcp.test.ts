import { createServer } from 'node:net'
import { createTcpTransport } from './tcp.node.ts'
import { transportSuite } from './transport.suite.ts'

for (const host of ['127.0.0.1', '::1']) {
  const transport = createTcpTransport()
  transportSuite(
    `tcp over ${host}`,
    async () => ({
      server: transport,
      client: transport,
      free: () => ({ transport: 'tcp', host, port: 0 }),
      nowhere: () => ({ transport: 'tcp', host, port: 1 }),
      async [Symbol.asyncDispose]() {},
    }),
    (await canListen(host)) ? false : `this machine has no ${host}`,
  )
}

function canListen(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, host, () => server.close(() => resolve(true)))
  })
}
