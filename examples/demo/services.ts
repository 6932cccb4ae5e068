// The services of the demo. They stand in the package, so that `farcall demo` has them wherever it is installed.
export * from '../../src/cli/demo/services.ts'
