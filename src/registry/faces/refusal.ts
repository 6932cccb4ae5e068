import { RpcError } from '../../core/error.ts'

/**
 * With which status of HTTP a write is refused.
 * @throws what is no refusal, but trouble of our own.
 */
export function statusOfRefusal(thrown: unknown): number {
  if (!RpcError.is(thrown)) throw thrown
  switch (thrown.code) {
    case 'invalid_argument':
      return 400
    case 'permission_denied':
      return 403
    case 'aborted':
      return 409
    case 'resource_exhausted':
      return 503
    default:
      throw thrown
  }
}
