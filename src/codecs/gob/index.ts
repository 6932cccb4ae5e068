export * as gob from './gob.ts'
export { gobCodec } from './codec.ts'
export { GobDecoder } from './decoder.ts'
export { GobEncoder } from './encoder.ts'
export { defaultGobLimits, type GobLimits } from './limits.ts'
export { GobComplex } from './complex.ts'
export { GobNamed } from './named.ts'
// For those who write values of these types in another format.
export { type ConcreteType, resolveType } from './types.ts'
