import { RpcError } from '../node.ts'
import { UsageError } from './usage-error.ts'

/** How a command ends. They are documented in docs/cli.md, and scripts go by them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unavailable: 3,
  deadline: 4,
  interrupted: 130,
  terminated: 143,
} as const

/** The code for what ended a command. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof UsageError) return exitCodes.usage
  if (!RpcError.is(thrown)) return exitCodes.failed
  switch (thrown.code) {
    case 'unavailable':
      return exitCodes.unavailable
    case 'deadline_exceeded':
      return exitCodes.deadline
    default:
      return exitCodes.failed
  }
}
