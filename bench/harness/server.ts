// A server of one peer, until its input ends: server.ts <peer file>. Its first line of output says where it is.
import type { NodePeer, ServedPeer } from './peer.ts'

const { peer } = (await import(`../peers/${process.argv[2]}.ts`)) as { peer: NodePeer | ServedPeer }
const { address, pids = [] } = await peer.start()
console.log(JSON.stringify({ address, pids: [process.pid, ...pids] }))
process.stdin.on('end', () => {
  for (const pid of pids) process.kill(pid)
  process.exit(0)
})
process.stdin.resume()
