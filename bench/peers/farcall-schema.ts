import { farcallPeer, withSchemas } from './farcall-service.ts'

export const peer = farcallPeer({
  name: 'farcall-schema',
  about: 'the same with a schema (zod) for each parameter and for the result',
  operations: ['add'],
  async service() {
    const { number } = await import('zod')
    return withSchemas({ params: ['a', 'b'], input: [number(), number()], output: number() })
  },
})
