import type { Nested, NodePeer } from '../harness/peer.ts'
import { use } from './packages.ts'

type Request = { readonly body: { a: number; b: number; value: unknown } }
interface App {
  post(path: string, options: object, handler: (request: Request) => Promise<unknown>): unknown
  listen(at: { port: number; host: string }): Promise<string>
}
interface Fastify {
  default(): App
}
interface Undici {
  readonly Pool: new (
    address: string,
    options: object,
  ) => {
    request(options: object): Promise<{ body: { json(): Promise<{ value: unknown }> } }>
    close(): Promise<void>
  }
}

const reply = (type: object) => ({
  schema: { response: { 200: { type: 'object', properties: { value: type } } } },
})
const text = { type: 'string' }
const item = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    email: text,
    name: { type: 'object', properties: { first: text, last: text } },
    address: { type: 'object', properties: { street: text, city: text, zip: text } },
    roles: { type: 'array', items: text },
    active: { type: 'boolean' },
    balance: { type: 'number' },
  },
}
const nested = {
  type: 'object',
  properties: {
    total: { type: 'integer' },
    page: { type: 'integer' },
    items: { type: 'array', items: item },
  },
}

export const peer: NodePeer = {
  kind: 'node',
  name: 'fastify-undici',
  about: 'JSON over HTTP/1.1: fastify with schemas, undici with 16 requests pipelined',
  packages: ['fastify', 'undici'],
  operations: ['add', 'text', 'nested'],
  async start() {
    const { default: fastify } = await use<Fastify>('fastify')
    const app = fastify()
    app.post('/add', reply({ type: 'number' }), async ({ body }) => ({ value: body.a + body.b }))
    app.post('/text', reply(text), async ({ body }) => ({ value: body.value }))
    app.post('/nested', reply(nested), async ({ body }) => ({ value: body.value }))
    return { address: await app.listen({ port: 0, host: '127.0.0.1' }) }
  },
  async connect(address) {
    const { Pool } = await use<Undici>('undici')
    // Four connections, each with 16 requests on their way: what keeps 64 in flight at the least cost.
    const pool = new Pool(address, { connections: 4, pipelining: 16 })
    const headers = { 'content-type': 'application/json' }
    const post = async <T>(path: string, content: object): Promise<T> => {
      const { body } = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(content) })
      return (await body.json()).value as T
    }
    return {
      add: (a, b) => post<number>('/add', { a, b }),
      text: (value) => post<string>('/text', { value }),
      nested: (value) => post<Nested>('/nested', { value }),
      close: () => pool.close(),
    }
  },
}
