import type { Layer } from '../../src/node.ts'
import { farcallPeer } from './farcall-service.ts'

const layer: Layer = (next) => async (call) => await next(call)

export const peer = farcallPeer({
  name: 'farcall-layers',
  about: 'the same with three async layers on the server',
  operations: ['add'],
  serverLayers: [layer, layer, layer],
})
