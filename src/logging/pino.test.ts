import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RpcError } from '../core/error.ts'
import type { LogStream } from './log-stream.ts'
import { createLogger } from './pino.node.ts'

function createStream(isTTY = false): LogStream & { text: string } {
  return {
    isTTY,
    text: '',
    write(line) {
      this.text += line
    },
  }
}

function inDirectory(run: (directory: string) => Promise<void> | void) {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'farcall-logs-'))
    try {
      await run(directory)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

const readLines = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('lines of JSON where nobody looks', async () => {
  const stream = createStream()
  await using logger = createLogger({ stream, name: 'math-1' })
  logger.info({ event: 'listening', target: 'tcp://127.0.0.1:1' }, 'listening at tcp://127.0.0.1:1')
  logger.debug({}, 'not at this level')
  const line = JSON.parse(stream.text) as Record<string, unknown>
  assert.equal(line['event'], 'listening')
  assert.equal(line['level'], 'info')
  assert.equal(line['name'], 'math-1')
  assert.equal(line['msg'], 'listening at tcp://127.0.0.1:1')
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/)
  assert.equal(logger.isLevelEnabled?.('debug'), false)
  assert.equal(logger.isLevelEnabled?.('info'), true)
})

test('sentences on a terminal, one a line; fields only where the sentence does not say them', async () => {
  const stream = createStream(true)
  await using logger = createLogger({ stream, pretty: true })
  logger.info({ event: 'closed', peer: '10.0.0.1:1' }, 'it closed')
  logger.info({ mine: 7 }, 'my own')
  logger.error({ event: 'failed', err: new Error('boom') }, 'math.add failed')
  const lines = stream.text.split('\n')
  assert.match(lines[0] ?? '', /it closed/)
  assert.doesNotMatch(lines[0] ?? '', /10\.0\.0\.1/)
  assert.match(lines[1] ?? '', /my own.*7/)
  assert.match(stream.text, /boom[^]*at .*pino\.test/)
})

test('no colours where it is no terminal', async () => {
  const stream = createStream(false)
  await using logger = createLogger({ stream, pretty: true })
  logger.warn({ event: 'refused' }, 'no')
  assert.ok(!stream.text.includes('\u001b'))
})

test(
  'the file gets the same as JSON, in directories that are made, and is complete once closed',
  inDirectory(async (directory) => {
    const file = join(directory, 'a', 'b', 'farcall.log')
    const stream = createStream(true)
    const logger = createLogger({ stream, file })
    for (let i = 0; i < 1000; i++) logger.info({ event: 'call', i }, 'called')
    await logger.close()
    await logger.close()
    logger.info({}, 'after the end, to the terminal only')
    assert.deepEqual(
      readLines(file).map((line) => line['i']),
      Array.from({ length: 1000 }, (_, i) => i),
    )
    assert.match(stream.text, /after the end/)
  }),
)

test(
  'what is redacted is in no line',
  inDirectory(async (directory) => {
    const file = join(directory, 'farcall.log')
    await using logger = createLogger({ stream: null, file, redact: ['metadata.authorization'] })
    logger.info({ event: 'call', metadata: { authorization: 'Bearer secret', tenant: 'a' } }, 'called')
    await logger.close()
    assert.deepEqual(readLines(file)[0]?.['metadata'], { authorization: '[Redacted]', tenant: 'a' })
  }),
)

test(
  'a file that cannot be written is an error that says so, at once',
  inDirectory((directory) => {
    const inTheWay = join(directory, 'file')
    writeFileSync(inTheWay, '')
    assert.throws(
      () => createLogger({ stream: null, file: join(inTheWay, 'farcall.log') }),
      (error) =>
        RpcError.is(error) && error.code === 'invalid_argument' && /choose another/.test(error.message),
    )
    chmodSync(inTheWay, 0o444)
    assert.throws(() => createLogger({ stream: null, file: directory }), /cannot write the log file/)
  }),
)

test(
  'after the file was moved away, reopen writes a new one',
  inDirectory(async (directory) => {
    const file = join(directory, 'farcall.log')
    const logger = createLogger({ stream: null, file })
    logger.info({}, 'one')
    renameSync(file, `${file}.1`)
    logger.reopen()
    logger.info({}, 'two')
    await logger.close()
    // What was under way may still go to the old file; nothing is lost, and nothing comes twice.
    const all = [...readLines(`${file}.1`), ...readLines(file)].map((line) => line['msg'])
    assert.deepEqual(all, ['one', 'two'])
    assert.equal(readLines(file).at(-1)?.['msg'], 'two')
  }),
)

test('a stream whose reader went away ends nothing', async () => {
  let fail: ((error: Error) => void) | undefined
  const stream: LogStream = {
    write: () => fail?.(new Error('EPIPE')),
    on: (_, listener) => {
      fail = listener
    },
  }
  await using logger = createLogger({ stream })
  logger.info({}, 'into the void')
  assert.ok(fail)
})
