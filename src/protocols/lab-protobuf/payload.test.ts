import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readProto } from '../../codecs/protobuf/index.ts'
import { argumentsByName, fieldFor, messageOfResult, resultOfMessage } from './payload.ts'
import { loadLabSchema, type PayloadField } from './schema.ts'
import { moreProto } from './testing.suite.ts'

const schema = await loadLabSchema({ proto: moreProto })
const { payloads } = schema.request

describe('lab-protobuf: the .proto', () => {
  it('has the fields of the users', async () => {
    assert.deepEqual(
      payloads.map(({ name }) => name),
      ['add', 'upper', 'divide', 'sleep', 'find_user'],
    )
    const own = await loadLabSchema({})
    assert.deepEqual(
      own.response.payloads.map(({ name, type }) => [name, type.name]),
      [['add', 'rpc.AddResponse']],
    )
  })

  const envelope = `message Request { string type = 1; string service_name = 2; string time = 3; Server server = 4; }
    message Response { string type = 1; string content = 2; string time = 3; repeated Server servers = 4; }
    message Server { string host = 1; int32 port = 2; }`

  it('may be several texts', async () => {
    const proto = [`syntax = "proto3"; ${envelope}`, 'syntax = "proto3"; message X { int32 x = 1; }']
    assert.deepEqual((await loadLabSchema({ proto })).request.payloads, [])
  })

  const wrong: [proto: string, message: RegExp][] = [
    ['', /has no message Server; it needs one Request, one Response and one Server/],
    [envelope.replace('message Response', 'message Respond'), /has no message Response/],
    [`${envelope} message O { message Request {} }`, /has several: Request, O\.Request/],
    [envelope.replace('string content', 'bytes content'), /field 2 of Response should be string/],
    [envelope.replace('repeated Server', 'Server'), /field 4 of Response should be repeated Server/],
    [envelope.replace('Server server', 'string server'), /field 4 of Request should be Server/],
    [envelope.replace('int32 port = 2;', ''), /field 2 of Server should be int32 port/],
    ['message {', /the \.proto is wrong: illegal/],
  ]
  for (const [proto, message] of wrong) {
    it(`is refused: ${message}`, () =>
      assert.rejects(loadLabSchema({ proto: `syntax = "proto3"; ${proto}` }), {
        code: 'invalid_argument',
        message,
      }))
  }
})

describe('lab-protobuf: the field for a method', () => {
  const find = (name: string) => fieldFor(name, payloads)?.name

  it('is called like it, whatever the case', () => {
    assert.deepEqual(
      ['add', 'find_user', 'findUser', 'FindUser', 'ADD', 'nope', '', 'constructor'].map(find),
      ['add', 'find_user', 'find_user', 'find_user', 'add', undefined, undefined, undefined],
    )
  })

  it('or has its message', async () => {
    const { messages } = await readProto([
      'syntax = "proto3"; message M { GetUserRequest a = 5; mul_request b = 6; Sub c = 7; } message GetUserRequest {} message mul_request {} message Sub {}',
    ])
    const fields = messages.get('M')?.fields as PayloadField[]
    assert.deepEqual(
      ['getUser', 'get_user', 'mul', 'sub', 'request'].map((name) => fieldFor(name, fields)?.name),
      ['a', 'a', 'b', 'c', undefined],
    )
  })
})

describe('lab-protobuf: arguments', () => {
  const bind = (list: unknown[], named?: object, takesObject = false) =>
    argumentsByName(
      { list, ...(named !== undefined && { named: new Map(Object.entries(named)) }) },
      { method: 'f', names: ['a', 'b'], takesObject },
    )

  it('by position, by name, both, or one object', () => {
    assert.deepEqual(bind([1, 2]), { a: 1, b: 2 })
    assert.deepEqual(bind([1]), { a: 1 })
    assert.deepEqual(bind([]), {})
    assert.deepEqual(bind([], { b: 2, a: 1 }), { a: 1, b: 2 })
    assert.deepEqual(bind([1], { b: 2 }), { a: 1, b: 2 })
    assert.deepEqual(bind([{ a: 1 }]), { a: 1 })
    assert.deepEqual(bind([{ x: 1 }]), { x: 1 })
  })

  it('an object may be meant for the first field alone, where that takes one', () => {
    assert.deepEqual(bind([{ x: 1 }], undefined, true), { a: { x: 1 } })
    assert.deepEqual(bind([{ b: 1 }], undefined, true), { b: 1 })
  })

  it('too many, twice, and streams are refused', () => {
    assert.throws(() => bind([1, 2, 3]), {
      code: 'invalid_argument',
      message: 'f takes a, b, got 3 arguments',
    })
    assert.throws(() => bind([1], { a: 2 }), { message: /'a' twice/ })
    assert.throws(() => bind([(async function* () {})()]), { code: 'unimplemented', message: /streams/ })
  })
})

describe('lab-protobuf: results', () => {
  const typeOf = (name: string) =>
    schema.response.payloads.find((field) => field.name === name)?.type ?? assert.fail(name)

  it('a value is the only field, an object the fields of its names', () => {
    assert.deepEqual(messageOfResult(typeOf('add'), 3), { sum: 3 })
    assert.deepEqual(messageOfResult(typeOf('add'), { sum: 3 }), { sum: 3 })
    assert.deepEqual(messageOfResult(typeOf('add'), undefined), {})
    assert.deepEqual(messageOfResult(typeOf('divide'), { quotient: 1 }), { quotient: 1 })
    assert.deepEqual(messageOfResult(typeOf('find_user'), { id: 1, name: 'x' }), {
      user: { id: 1, name: 'x' },
    })
    assert.deepEqual(messageOfResult(typeOf('find_user'), { user: { id: 1 } }), { user: { id: 1 } })
    assert.throws(() => messageOfResult(typeOf('divide'), 3), {
      message: /a single value cannot be a rpc\.DivideResponse: it has several fields: quotient, remainder/,
    })
  })

  it('and back', () => {
    assert.equal(resultOfMessage(typeOf('add'), { sum: 3 }), 3)
    assert.deepEqual(resultOfMessage(typeOf('divide'), { quotient: 1, remainder: 0 }), {
      quotient: 1,
      remainder: 0,
    })
  })
})
