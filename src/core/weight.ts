import { RpcError } from './error.ts'

/** The most that an instance can weigh. */
export const maxWeight = 1_000_000

/** Gives the weight back. @throws RpcError `invalid_argument` for what is no number from 0 to {@link maxWeight}. */
export function checkWeight(given: number): number {
  if (typeof given === 'number' && given >= 0 && given <= maxWeight) return given
  throw new RpcError(
    'invalid_argument',
    `weight must be a number from 0 to ${maxWeight}, got ${String(given)}`,
  )
}
