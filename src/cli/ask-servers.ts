import { connect, type FarcallClient, sendToken } from '../node.ts'
import type { CommandRoom } from './room.ts'
import { numberOf, textOf } from './settings/typed.ts'
import { fromUser } from './usage-error.ts'
import { whileOpen } from './while-open.ts'

/** Asks servers something, with the token and the time that are set. @throws UsageError for a target that is none */
export function askServers<R>(
  at: string | readonly string[],
  { settings, logger }: CommandRoom,
  ask: (client: FarcallClient) => Promise<R>,
): Promise<R> {
  const token = textOf(settings, 'token')
  const timeoutMs = numberOf(settings, 'timeoutMs')
  const layers = token === undefined ? [] : [sendToken(token)]
  const options = { logger, layers, ...(timeoutMs !== undefined && { timeoutMs }) }
  return whileOpen(
    fromUser(() => connect(at, options)),
    ask,
  )
}
