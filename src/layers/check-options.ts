import { RpcError } from '../core/error.ts'

/** @throws RpcError `invalid_argument` for the first of these options that is not a number of at least `least`. */
export function checkNumbers(layer: string, least: number, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number' && value >= least) continue
    throw new RpcError(
      'invalid_argument',
      `${layer}: ${name} must be a number of at least ${least}, got ${String(value)}`,
    )
  }
}
