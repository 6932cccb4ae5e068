import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect, currentCall, serve, service } from 'farcall'

const who = service('who', { speaks: () => currentCall()?.peer?.protocol })

it('a handler knows by which protocol it is called', async () => {
  await using server = await serve([who], { port: 0 })
  for (const [prefix, protocol] of [
    ['', 'farcall'],
    ['http+', 'http'],
    ['json-rpc+', 'json-rpc'],
    ['geerpc+', 'geerpc'],
    ['geerpc-http+', 'geerpc'],
    ['net-rpc+', 'net-rpc'],
    ['lab-json+', 'lab-json'],
  ] as const) {
    await using client = connect(`${prefix}${server.targets[0]}`)
    assert.equal(await client.service<typeof who>('who').speaks(), protocol)
  }
})
