import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { farcall, startFarcall, startTools } from './support/cli.ts'

type Tools = Awaited<ReturnType<typeof startTools>>

describe('farcall call', { concurrency: 2 }, () => {
  let server: Tools
  before(async () => {
    server = await startTools()
  })
  after(() => server[Symbol.asyncDispose]())

  const call = (args: readonly string[], stdin?: string) =>
    farcall(['call', '--at', server.target, ...args], stdin === undefined ? {} : { stdin })

  // What is typed, and what is printed.
  const printed: [string, string[], string][] = [
    ['arguments by position; a default is the server’s', ['tools.add', '1', '2'], '13\n'],
    ['a method by its name alone', ['add', '1', '2'], '13\n'],
    ['negative numbers', ['tools.add', '-1', '-2.5', '0'], '-3.5\n'],
    ['arguments by name', ['tools.add', '--b', '2', '--a=1'], '13\n'],
    ['by position and by name', ['tools.add', '1', '--c', '0', '--b', '2'], '3\n'],
    ['what is no JSON is a text', ['tools.kind', 'to be'], 'string\n'],
    ['JSON is JSON', ['tools.kind', '{"a":1}'], 'object\n'],
    ['a text in quotes stays one', ['tools.kind', '"1"'], 'string\n'],
    ['null', ['tools.kind', 'null'], 'null\n'],
    [
      'a whole number that is too large for a number is a bigint',
      ['tools.kind', '9007199254740993'],
      'bigint\n',
    ],
    ['a tagged date', ['tools.kind', '{"$date":"2026-01-02T03:04:05.006Z"}'], 'Date\n'],
    ['behind -- all are positions', ['tools.kind', '--', '--at'], 'string\n'],
    ['an argument with the name of a flag', ['tools.timeout', '--arg.timeout', '5'], '5\n'],
    ['an argument without a value is true', ['tools.kind', '--value'], 'boolean\n'],
    ['metadata', ['tools.tenant', '--metadata', 'tenant=a'], 'a\n'],
    ['a stream, item by item', ['tools.count', '3'], '1\n2\n3\n'],
    ['no value, no line', ['tools.nothing'], ''],
    ['what moves a terminal’s cursor is written out', ['tools.bell'], 'ding\\u001b[31m\\u0007\n'],
    ['a broadcast as JSON', ['tools.kind', '1', '--broadcast', '--json'], 'number'],
    [
      'JSON of what JSON has not',
      ['tools.odd', '--json'],
      '{"big":{"$bigint":"18446744073709551616"},"at":{"$date":"1970-01-01T00:00:00.000Z"},"bytes":{"$bytes":"AQI="}}\n',
    ],
    ['no value as JSON', ['tools.nothing', '--json'], 'null\n'],
  ]
  for (const [what, args, wanted] of printed) {
    it(what, async () => {
      const { code, stdout, stderr } = await call(args)
      assert.equal(stderr, '')
      if (args.includes('--broadcast')) {
        assert.deepEqual(JSON.parse(stdout), [{ endpoint: server.target, value: wanted }])
      } else assert.equal(stdout, wanted)
      assert.equal(code, 0)
    })
  }

  it('a stream argument is read from stdin, a line an item', async () => {
    const { stdout, code } = await call(['tools.total', '-'], '1\n2\n\n3\n')
    assert.equal(stdout, '6\n')
    assert.equal(code, 0)
  })

  // What is typed, the exit code, and what stands on stderr.
  const refused: [string, string[], number, RegExp[]][] = [
    [
      'what the method says on purpose',
      ['tools.divide', '1', '0'],
      1,
      [/^error: division by zero$/m, /details: \{"b":0\}/],
    ],
    [
      'what it did not mean to say',
      ['tools.fail'],
      1,
      [/^error: internal error \(id \w+\)$/m, /server's log/],
    ],
    [
      'a method that is not there',
      ['tools.ad', '1'],
      1,
      [/has no method 'ad'; did you mean add/, /farcall methods tools --at/],
    ],
    ['a service that is not there', ['tool.add', '1'], 1, [/unknown service 'tool'/]],
    [
      'an argument that is not there',
      ['tools.add', '--a', '1', '--d', '2'],
      1,
      [/has no parameter 'd'; it takes a, b, c/],
    ],
    ['a misspelt flag', ['tools.add', '1', '2', '--timeuot', '5'], 1, [/did you mean the flag --timeout/]],
    ['too little time', ['tools.wait', '--timeout', '50'], 4, [/within 50 ms/, /--timeout 30000/]],
    ['an argument twice', ['tools.add', '1', '--a', '2'], 2, [/given by position and by name/]],
    ['no method', ['tools.', '1'], 2, [/it should be service\.method/]],
    [
      'a method that no service has',
      ['ad', '1'],
      1,
      [/no service has a method 'ad'/, /farcall methods --at/],
    ],
    ['two streams', ['tools.total', '-', '-'], 2, [/only one argument can be the stream/]],
    ['an unknown short flag', ['tools.add', '-x'], 2, [/there is no flag -x/, /behind --/]],
    ['bad metadata', ['tools.tenant', '--metadata', 'x'], 2, [/--metadata should be key=value/]],
  ]
  for (const [what, args, wanted, patterns] of refused) {
    it(`tells of ${what}, code ${wanted}`, async () => {
      const { code, stdout, stderr } = await call(args)
      for (const pattern of patterns) assert.match(stderr, pattern)
      assert.doesNotMatch(stderr, /secret|\n\s+at /)
      assert.equal(stdout, '')
      assert.equal(code, wanted)
    })
  }

  it('tells of errors as JSON', async () => {
    const { code, stderr } = await call(['tools.divide', '1', '0', '--json'])
    const { error } = JSON.parse(stderr) as { error: Record<string, unknown> }
    assert.equal(error['code'], 'invalid_argument')
    assert.equal(error['message'], 'division by zero')
    assert.deepEqual(error['details'], { b: 0 })
    assert.equal(code, 1)
  })

  it('shows stacks to who asks for them', async () => {
    const { stderr } = await call(['tools.divide', '1', '0', '--log-level', 'debug'])
    assert.match(stderr, /\n\s*at |RpcError/)
  })

  it('ends when nobody reads its output any more', async () => {
    const caller = startFarcall(['call', 'tools.count', '100000000', '--at', server.target])
    await caller.line(/^3$/m)
    caller.child.stdout?.destroy()
    await new Promise((resolve) => caller.child.once('exit', resolve))
    assert.equal(caller.child.exitCode, 0)
  })

  it('cancels the call on Ctrl-C, code 130', async () => {
    // A server of its own, to see what it prints.
    await using own = await startTools()
    const caller = startFarcall(['call', 'tools.wait', '--at', own.target])
    // If the caller ends before, its output says why.
    await Promise.race([own.line(/^waiting$/m), caller.line(/it prints nothing/)])
    assert.deepEqual(await caller.stop('SIGINT'), { code: 130, signal: null })
    await own.line(/^given up$/m)
  })
})

it('farcall call with nobody there fails at once, code 3', async () => {
  const { code, stderr } = await farcall(['call', 'tools.add', '1', '--at', '127.0.0.1:1'])
  assert.match(stderr, /^error: .*nothing listens at tcp:\/\/127\.0\.0\.1:1/)
  assert.match(stderr, /next: is it running\?/)
  assert.equal(code, 3)
})

it('farcall call with a registry that is down fails at once, code 3', async () => {
  const { code, stderr } = await farcall(['call', 'tools.add', '1', '--registry', '127.0.0.1:1'])
  assert.match(stderr, /the registry cannot be reached: nothing listens/)
  assert.match(stderr, /farcall registry -p 1/)
  assert.equal(code, 3)
})

it('farcall call with a target that makes no sense, or none, is code 2', async () => {
  const none = await farcall(['call', 'tools.add', '1'])
  assert.match(none.stderr, /which server\?/)
  assert.equal(none.code, 2)
  const wrong = await farcall(['call', 'tools.add', '1', '--at', 'gopher://x:1'])
  assert.match(wrong.stderr, /gopher/)
  assert.equal(wrong.code, 2)
})
