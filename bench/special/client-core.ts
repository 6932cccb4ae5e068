// What a client without Node consists of, for its size: our protocol, msgpack, one balancer, fixed lists of endpoints.
export { p2c } from '../../src/balancers/index.ts'
export { createClient } from '../../src/client/index.ts'
export { msgpackCodec } from '../../src/codecs/msgpack/index.ts'
export { systemRandom } from '../../src/core/random.ts'
export { systemClock } from '../../src/core/system-clock.ts'
export { staticResolvers } from '../../src/discovery/static.ts'
export { retry } from '../../src/layers/retry.ts'
export { farcallProtocol } from '../../src/protocols/farcall/index.ts'
