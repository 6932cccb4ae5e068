import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import {
  connect,
  type ConnectOptions,
  currentCall,
  type Logger,
  RpcError,
  serve,
  service,
  type ServeOptions,
  type TlsClientOptions,
  type TlsServerOptions,
} from 'farcall'

const secrets = service('secrets', {
  whoAmI: () => currentCall()?.peer?.tls?.subject ?? 'nobody',
  protocol: () => currentCall()?.peer?.tls?.alpn ?? 'none',
  echo: (text: string) => text,
  async *count(upTo: number) {
    for (let i = 1; i <= upTo; i++) yield i
  },
  async total(numbers: AsyncIterable<number>) {
    let sum = 0
    for await (const n of numbers) sum += n
    return sum
  },
})

const fixture = (name: string) =>
  readFile(new URL(`../src/transports/fixtures/${name}.pem`, import.meta.url), 'utf8')
const pair = async (name: string) => ({
  cert: await fixture(`${name}.cert`),
  key: await fixture(`${name}.key`),
})
const ca = await fixture('ca.cert')
const own = await pair('server')

interface Meeting {
  readonly server?: Partial<TlsServerOptions> | undefined
  readonly client?: TlsClientOptions | undefined
  readonly host?: string
  readonly options?: ConnectOptions
}

/** A server with TLS, and a client that dials it by that host. */
async function meet({ server: given = {}, client: tls = { ca }, host = 'localhost', options = {} }: Meeting) {
  const reported = Promise.withResolvers<RpcError>()
  const server = await serveQuietly({
    port: 0,
    tls: { ...own, report: reported.resolve, ...given },
    host: host === '[::1]' ? '::1' : '127.0.0.1',
  })
  const port = /\d+$/.exec(server.targets[0] as string)?.[0]
  const client = connect(`tls://${host}:${port}`, { tls, retry: false, logger: logTo([]), ...options })
  return {
    server,
    client,
    /** What the server finds wrong with a handshake. */
    reported: reported.promise,
    secrets: client.service<typeof secrets>('secrets'),
    async [Symbol.asyncDispose]() {
      await client.close()
      await server.close({ graceMs: 0 })
    },
  }
}

function serveQuietly(options: ServeOptions, lines: string[] = []) {
  return serve([secrets], { ...options, logger: logTo(lines) })
}

function logTo(lines: string[]): Logger {
  const write = (_fields: unknown, message: string) => void lines.push(message)
  return { trace: write, debug: write, info: write, warn: write, error: write }
}

async function refusal(meeting: Meeting): Promise<RpcError> {
  await using met = await meet(meeting)
  const error = await met.secrets.echo('x').then(
    () => assert.fail('the call should have failed'),
    (thrown: unknown) => thrown,
  )
  assert.ok(RpcError.is(error))
  assert.equal(error.code, 'unavailable', error.message)
  return error
}

it('calls and streams go over TLS as they do without; by name and by both kinds of address', async () => {
  for (const host of ['localhost', '127.0.0.1', '[::1]']) {
    await using met = await meet({ host })
    assert.equal(await met.secrets.echo('hello'), 'hello')
    assert.deepEqual(
      await Array.fromAsync(met.secrets.count(1000)),
      Array.from({ length: 1000 }, (_, i) => i + 1),
    )
    async function* numbers() {
      for (let i = 1; i <= 1000; i++) yield i
    }
    assert.equal(await met.secrets.total(numbers()), 500_500)
    const large = 'x'.repeat(2_000_000)
    assert.equal(await met.secrets.echo(large), large)
    assert.equal(await met.secrets.protocol(), 'farcall')
    assert.match(met.server.targets[0] as string, /^tls:\/\//)
  }
})

it('a server with TLS registers as tls://, and is found and called through the registry', async () => {
  const { startRegistry } = await import('farcall')
  await using registry = await startRegistry({ port: 0, logger: logTo([]) })
  const target = (registry.targets[0] as string).replace('tcp', 'registry')
  await using server = await serveQuietly({ port: 0, registry: target, advertise: 'localhost', tls: own })
  await server.registered
  await using client = connect(target, { tls: { ca }, logger: logTo([]) })
  const { echo } = client.service<typeof secrets>('secrets')
  assert.equal(await echo('through the registry'), 'through the registry')
  assert.match(client.status().endpoints[0]?.endpoint ?? '', /^tls:\/\/localhost:\d+$/)
})

it('a server stops in order over TLS: what is in flight finishes', async () => {
  await using met = await meet({})
  const stream = met.secrets.count(3)[Symbol.asyncIterator]()
  await stream.next()
  const closed = met.server.close()
  assert.deepEqual(await stream.next(), { done: false, value: 2 })
  assert.deepEqual(await stream.next(), { done: false, value: 3 })
  assert.equal((await stream.next()).done, true)
  await closed
})

it('a client certificate that is required and shown tells methods who calls', async () => {
  const server = { ca, requestClientCert: 'required' } as const
  await using met = await meet({ server, client: { ca, ...(await pair('client')) } })
  assert.equal(await met.secrets.whoAmI(), 'CN=test-client, O=Farcall')
})

it('a client certificate that is required and missing fails calls with the cause, on both sides', async () => {
  const server = { ca, requestClientCert: 'required' } as const
  await using met = await meet({ server })
  await assert.rejects(met.secrets.echo('x'), /requires a client certificate; give cert and key/)
  assert.match((await met.reported).message, /showed no client certificate, and one is required/)
})

it('a client certificate of a stranger fails calls with the cause', async () => {
  const server = { ca, requestClientCert: 'required' } as const
  await using met = await meet({ server, client: { ca, ...(await pair('stranger')) } })
  await assert.rejects(met.secrets.echo('x'), (error: RpcError) => {
    assert.equal(error.code, 'unavailable')
    assert.match(
      error.message,
      /ended the connection without an answer: if it asks for client certificates, it may not trust ours/,
    )
    return true
  })
  assert.match((await met.reported).message, /not signed by anyone who is trusted/)
})

it('a server certificate that is wrong fails calls by its cause: expired, for another name, of nobody trusted', async () => {
  const wrong: [Meeting, RegExp][] = [
    [{ server: await pair('expired') }, /certificate has expired/],
    [{ server: await pair('elsewhere') }, /is for elsewhere\.test, not for localhost/],
    [{ server: await pair('stranger') }, /not signed by anyone who is trusted here; give the signer as ca/],
    [{ client: {} }, /not signed by anyone who is trusted here/],
  ]
  for (const [meeting, cause] of wrong) {
    const error = await refusal(meeting)
    assert.match(error.message, cause)
    assert.match(error.message, /tls:\/\/localhost:\d+/, 'it says whom it was about')
  }
})

it('a client without TLS at a server with TLS alone is told so, and the log of the server says it', async () => {
  const lines: string[] = []
  await using server = await serveQuietly({ port: 0, tls: own }, lines)
  const plain = (server.targets[0] as string).replace('tls:', 'tcp:')
  await using client = connect(plain, { retry: false, logger: logTo([]) })
  await assert.rejects(client.service<typeof secrets>('secrets').echo('x'), (error: RpcError) => {
    assert.equal(error.code, 'unavailable')
    assert.match(error.message, /ended the connection without an answer: it may speak TLS alone \(tls:\/\/\)/)
    return true
  })
  assert.match(lines.join('\n'), /was refused: it is nothing that is spoken here; .*spoken here: tls/)
})

it('a client with TLS at a server without is told so', async () => {
  const lines: string[] = []
  await using server = await serveQuietly({ port: 0 }, lines)
  const secure = (server.targets[0] as string).replace('tcp:', 'tls:')
  await using client = connect(secure, { tls: { ca }, retry: false, logger: logTo([]) })
  await assert.rejects(client.service<typeof secrets>('secrets').echo('x'), (error: RpcError) => {
    assert.equal(error.code, 'unavailable')
    assert.match(error.message, /does (it|not) speak TLS/)
    return true
  })
  assert.match(lines.join('\n'), /was refused: it is nothing that is spoken here/)
})

it('what cannot be a certificate is refused where it is given', async () => {
  await assert.rejects(
    serveQuietly({ port: 0, tls: { cert: 'server.pem', key: 'server.key' } }),
    /take PEM text/,
  )
  await assert.rejects(
    serveQuietly({ port: 0, tls: { ...own, key: (await pair('client')).key } }),
    /the key must be that of cert/,
  )
})
