import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { CallInit } from '../core/call.ts'
import { RpcError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { Metadata } from '../core/metadata.ts'
import { layerRig, outcomeOf } from '../testing/layer-rig.ts'
import { type LogCallsOptions, logCalls } from './log.ts'
import { show } from './show.ts'

type Line = [level: string, fields: Record<string, unknown>, message: string]

function rig(options: Partial<LogCallsOptions> = {}, enabled: readonly string[] = ['info', 'warn', 'error']) {
  const lines: Line[] = []
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, fields, message])
  const logger: Logger = {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    isLevelEnabled: (level) => enabled.includes(level),
  }
  const base = layerRig()
  const handler = logCalls({ logger, ...options })(base.session.call)
  const run = async (patch: Partial<CallInit>, answer: () => unknown) => {
    base.peer.answer = answer
    const reply = await outcomeOf(handler, base.make(patch))
    await base.clock.settle()
    return reply
  }
  return { ...base, lines, run }
}

describe('log', () => {
  it('says what was called, by whom, with what, what came of it and how long it took', async () => {
    const { run, lines, peer, clock, session, make } = rig()
    const from = { transport: 'tcp', address: '10.0.0.9:5000' }
    await run({ peer: from, args: { list: [1, { a: 'x' }] } }, () => ({ sum: 2 }))
    assert.deepEqual(lines, [
      [
        'info',
        { call: 's.m', ms: 0, peer: '10.0.0.9:5000', arguments: '[1,{"a":"x"}]', result: '{"sum":2}' },
        'call',
      ],
    ])
    peer.answer = undefined
    const slow = outcomeOf(logCalls({ logger: collect(lines) })(session.call), make())
    await clock.advance(30)
    clock.now()
    peer.held[0]?.answer(1)
    await slow
    await clock.settle()
    assert.equal(lines[1]?.[1]['ms'], 30)
  })

  it('has a level for each kind of outcome', async () => {
    const { run, lines } = rig()
    for (const code of ['cancelled', 'not_found', 'unavailable', 'internal'] as const) {
      await run({}, () => {
        throw new RpcError(code, `it was ${code}`)
      })
    }
    assert.deepEqual(
      lines.map(([level, { code }]) => [level, code]),
      [
        ['info', 'cancelled'],
        ['warn', 'not_found'],
        ['warn', 'unavailable'],
        ['error', 'internal'],
      ],
    )
    assert.equal(lines[1]?.[1]['error'], 'it was not_found')
  })

  it('hides what must not be shown, by name and by path, in arguments and results', async () => {
    const { run, lines } = rig({ redact: ['password', 'user.card'] })
    const info = {
      params: ['user', 'Password'],
      idempotent: false,
      input: 'values',
      output: 'value',
    } as const
    await run(
      { info, args: { list: [{ card: '4111', nested: { PASSWORD: 'hunter2' } }, 'hunter2'] } },
      () => ({
        card: 'shown',
        user: { card: '4111' },
        map: new Map([['password', 'hunter2']]),
      }),
    )
    const fields = lines[0]?.[1]
    assert.equal(
      fields?.['arguments'],
      '{"user":{"card":"[redacted]","nested":{"PASSWORD":"[redacted]"}},"Password":"[redacted]"}',
    )
    assert.equal(
      fields?.['result'],
      '{"card":"shown","user":{"card":"[redacted]"},"map":Map{"password":"[redacted]"}}',
    )
  })

  it('hides the usual secrets if nothing is said, and never logs metadata', async () => {
    const { run, lines } = rig()
    const metadata = new Metadata({ authorization: 'Bearer s3cret' })
    await run(
      {
        metadata,
        args: { list: [{ token: 's3cret', apiKey: 's3cret' }], named: new Map([['secret', 's3cret']]) },
      },
      () => 1,
    )
    assert.ok(!JSON.stringify(lines).includes('s3cret'), JSON.stringify(lines))
  })

  it('is bounded, whatever the sizes', async () => {
    const { run, lines } = rig({ maxChars: 50 })
    await run({ args: { list: ['x'.repeat(1e6), 2] } }, () => Array.from({ length: 1e6 }, (_, i) => i))
    for (const name of ['arguments', 'result']) assert.ok(String(lines[0]?.[1][name]).length <= 51)
    const without = rig({ maxChars: 0 })
    await without.run({}, () => 1)
    assert.deepEqual(Object.keys(without.lines[0]?.[1] ?? {}), ['call', 'ms'])
  })

  it('prepares nothing for a level that is off, and logs failures all the same', async () => {
    const { run, lines } = rig({}, ['warn'])
    let looked = false
    const spy = {
      get value() {
        looked = true
        return 1
      },
    }
    await run({}, () => spy)
    assert.deepEqual([looked, lines.length], [false, 0])
    await run({}, () => {
      throw new RpcError('not_found', 'none')
    })
    assert.equal(lines.length, 1)
  })

  it('survives arguments that do not decode', async () => {
    const { run, lines } = rig()
    const args = {
      decode() {
        throw new RpcError('invalid_argument', 'bad bytes')
      },
    }
    await run({ args }, () => 1)
    assert.equal(lines[0]?.[1]['arguments'], '(do not decode)')
  })
})

describe('show', () => {
  const plain = { maxChars: 200, redact: new Set<string>() }

  it('shows every kind of value', () => {
    const value = [
      undefined,
      null,
      1n,
      new Date(0),
      new Uint8Array(3),
      new Set([1]),
      new Map([[1, 2]]),
      new Error('x'),
      () => 1,
      Symbol('s'),
    ]
    assert.equal(
      show(value, plain),
      '[undefined,null,1n,1970-01-01T00:00:00.000Z,[3 bytes],Set[1],Map{1:2},"Error: x",[function],Symbol(s)]',
    )
  })

  it('survives cycles and hostile objects', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    assert.ok(show(cycle, plain).length < 200)
    const hostile = {
      get boom() {
        throw new Error('no')
      },
    }
    assert.equal(show(hostile, plain), '(cannot be shown)')
    assert.equal(show(new Proxy({}, { ownKeys: () => assert.fail() }), plain), '(cannot be shown)')
  })

  it('is never longer than allowed, never throws, never shows what is hidden', () => {
    const secret = 'S3CRET-VALUE'
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withSet: true, withDate: true, withBigInt: true }),
        fc.integer({ min: 1, max: 80 }),
        (value, maxChars) => {
          const text = show(
            { password: secret, value, deep: [{ Password: secret }] },
            { maxChars, redact: new Set(['password']) },
          )
          assert.ok(text.length <= Math.max(maxChars + 1, '(cannot be shown)'.length))
          assert.ok(!text.includes(secret))
        },
      ),
    )
  })
})

function collect(lines: Line[]): Logger {
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push([level, fields, message])
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
