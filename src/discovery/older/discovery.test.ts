import { discoverySuite } from '../discovery.suite.ts'
import { createHeaderHarness, createLabHttpHarness, createLabTcpHarness } from './harness.suite.ts'

discoverySuite('the HTTP registry of the JSON lab', () => createLabHttpHarness())
discoverySuite('the header registry of geerpc', () => createHeaderHarness())
discoverySuite('the header registry of MyRPC', () =>
  createHeaderHarness('myrpc-registry+http://127.0.0.1:9999'),
)
discoverySuite('the TCP registry of the protobuf lab', () => createLabTcpHarness())
