import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import { createWarnings } from './warnings.node.ts'

function rig(isTTY: boolean) {
  const lines: string[] = []
  const logger = createWarnings({ isTTY, write: (line: string) => lines.push(line) > 0 })
  return { logger, lines }
}

test('writes warnings and errors as lines of JSON, with what an error says', () => {
  const { logger, lines } = rig(false)
  logger.info({ event: 'service' }, 'offers math')
  logger.debug({}, 'no')
  logger.warn({ event: 'broken', size: 2n ** 60n }, 'a peer\nbroke off')
  logger.error({ event: 'failed', err: new RpcError('internal', 'odd') }, 'a method threw')
  assert.equal(lines.length, 2)
  const [warn, error] = lines.map((line) => JSON.parse(line) as Record<string, any>)
  assert.deepEqual(
    [warn?.['level'], warn?.['event'], warn?.['size'], warn?.['msg']],
    ['warn', 'broken', String(2n ** 60n), 'a peer\nbroke off'],
  )
  assert.deepEqual([error?.['err'].message, error?.['err'].code], ['odd', 'internal'])
  assert.match(error?.['err'].stack, /RpcError: odd/)
  assert.deepEqual([logger.isLevelEnabled?.('info'), logger.isLevelEnabled?.('warn')], [false, true])
})

test('on a terminal a line is a sentence, and an error has its stack', () => {
  const { logger, lines } = rig(true)
  logger.warn({ event: 'broken' }, 'a peer broke off')
  logger.error({ err: new TypeError('odd') }, 'a method threw')
  assert.match(lines[0] ?? '', /^\[\d\d:\d\d:\d\d\] WARN: a peer broke off\n$/)
  assert.match(lines[1] ?? '', /ERROR: a method threw\nTypeError: odd\n {4}at /)
})

test('fields that refer to themselves cost the fields, not the line', () => {
  const { logger, lines } = rig(false)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  logger.warn({ circle }, 'round and round')
  assert.equal((JSON.parse(lines[0] ?? '') as { msg: string }).msg, 'round and round')
})
