// What a client without Node consists of, for its size: our protocol, msgpack, one balancer, fixed lists of endpoints. All
// of it is public: docs/protocol.md has the program that is made of it.
export {
  avoiding,
  createClient,
  farcallClientProtocol,
  msgpackCodec,
  p2c,
  retry,
  silentLogger,
  staticResolvers,
  systemClock,
  systemRandom,
} from '../../src/index.ts'
