import { discoverySuite } from './discovery.suite.ts'
import { createRegistryHarness } from './registry-harness.suite.ts'

discoverySuite('the embedded registry', () => createRegistryHarness())
