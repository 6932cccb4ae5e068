import { type Closable, stopOnSignals } from '../node.ts'
import type { CommandRoom } from './room.ts'

// Leaving a registry, closing connections: a little more than all of these may take together.
const closingMs = 10_000

/**
 * Serves until a signal comes, or the process that started this one with a channel (`stdio: 'ipc'`) is gone. Resolves
 * with the exit code.
 */
export function untilStopped(
  closables: readonly Closable[],
  options: { readonly room: CommandRoom; readonly graceMs: number },
): Promise<number> {
  const { room, graceMs } = options
  return new Promise((resolve) => {
    stopOnSignals(closables, { graceMs, timeoutMs: graceMs + closingMs, exit: resolve })
    if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
    // What a served module throws outside of any call leaves it in a state that nobody knows.
    process.on('uncaughtException', (err) => {
      room.logger.error({ event: 'crashed', err }, `the module threw outside of any call: ${err.message}`)
      resolve(1)
    })
  })
}
