import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { readProto } from '../../codecs/protobuf/index.ts'
import { labProto } from './default-proto.ts'
import { createLabProtobufProtocol } from './index.ts'

describe('lab-protobuf', () => {
  it('options are checked', () => {
    for (const quietMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => createLabProtobufProtocol({ quietMs }), {
        code: 'invalid_argument',
        message: /quietMs/,
      })
    }
  })

  it('has the messages that SPEC.md shows, and the peers in Python have', async () => {
    const theirs = readFileSync(new URL('../../../tests/peers/python/rpc.proto', import.meta.url), 'utf8')
    const spec = readFileSync(new URL('SPEC.md', import.meta.url), 'utf8')
    const shown = /```proto\n(.*?)```/s.exec(spec)?.[1] ?? ''
    const shapeOf = async (text: string) => {
      const { messages } = await readProto([text])
      const shapes = [...messages.values()].map(({ name, fields }) => [
        name,
        ...fields.map((field) => [field.number, field.name, field.type.name, field.form]),
      ])
      return shapes.sort((a, b) => String(a[0]).localeCompare(String(b[0])))
    }
    assert.deepEqual(await shapeOf(labProto), await shapeOf(theirs))
    assert.deepEqual(await shapeOf(labProto), await shapeOf(shown))
  })

  it('does not load the parser before it is used', () => {
    const program = `
      import { createRequire } from 'node:module'
      import { labProtobufProtocol } from './index.ts'
      const { cache } = createRequire(import.meta.url)
      const isLoaded = () => Object.keys(cache).some((file) => file.includes('protobufjs'))
      const before = isLoaded()
      await labProtobufProtocol.load()
      console.log(before, isLoaded())`
    const flags = ['--conditions=@farcall/source', '--input-type=module']
    const output = execFileSync(process.execPath, [...flags, '--eval', program], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    })
    assert.equal(output.trim(), 'false true')
  })
})
