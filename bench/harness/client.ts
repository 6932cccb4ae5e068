// Puts a load on a server of one peer, and prints what was measured: client.ts <peer file> <address> <load as JSON>.
import { runLoad } from './load.ts'
import type { Load, NodePeer } from './peer.ts'

const [, , file = '', address = '', load = ''] = process.argv
const { peer } = (await import(`../peers/${file}.ts`)) as { peer: NodePeer }
const measured = await runLoad(() => peer.connect(address), JSON.parse(load) as Load)
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0))
