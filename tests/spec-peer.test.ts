import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { serve } from 'farcall'
import {
  all,
  begun,
  type CodecName,
  connectWith,
  failsWith,
  releaseWaiting,
  shown,
  type Test,
  test,
  upTo,
  values,
} from './support/peer-service.ts'
import { type Line, noPython, runPeer } from './support/python-peer.ts'
import { recordingProxy } from './support/recording-proxy.ts'

// The bytes on the wire against a peer that was written from SPEC.md alone, by way of Python's standard library.

/** Runs `work` through a proxy and gives what the decoder makes of the bytes, which must be without a fault. */
async function captured(
  codec: CodecName,
  work: (t: ReturnType<typeof clientOf>, drain: () => Promise<unknown>) => Promise<void>,
) {
  await using server = await serve([test], { port: 0 })
  await using proxy = await recordingProxy(server.targets[0] as string)
  const client = connectWith(codec, proxy.target)
  try {
    await work(clientOf(client), async () => {
      const drained = server.drain()
      // The frame DRAIN, of two bytes, for call 1.
      await proxy.recordings[0]?.until('000000020b01')
      releaseWaiting()
      await drained
    })
  } finally {
    await client.close()
  }
  const [recording] = proxy.recordings

  await recording?.over
  const { code, lines } = await runPeer(['decode'], recording?.lines)
  assert.deepEqual(
    lines.filter(({ type }) => type === 'fault'),
    [],
  )
  assert.equal(code, 0)
  const summary = lines.at(-1) as Line
  assert.deepEqual(summary['open'], [], 'every call has ended')
  assert.ok(summary['client'].ended && summary['server'].ended, 'both sides have ended their direction')
  return {
    lines,
    summary,
    of: (type: string, id?: number) =>
      lines.filter((l) => l.type === type && (id === undefined || l['id'] === id)),
  }
}

function clientOf(client: ReturnType<typeof connectWith>) {
  return client.service<Test>('test')
}

describe('the bytes between a Farcall client and server, read by a decoder written from SPEC.md', {
  skip: noPython(),
}, () => {
  for (const codec of ['msgpack', 'json'] as const) {
    it(`values of every kind, both ways (${codec})`, async () => {
      const { of } = await captured(codec, async (t) => {
        for (const value of values) await t.echo(value)
      })
      assert.deepEqual(
        of('call').map((l) => l['args'][0]),
        values.map(shown),
      )
      assert.deepEqual(
        of('reply').map((l) => l['value']),
        values.map(shown),
      )
      assert.equal(of('method').length, 1, 'a method is told of once')
      assert.deepEqual(
        of('call')
          .map((l) => l['number'])
          .slice(0, 3),
        [0, 2, 2],
      )
    })

    it(`streams both ways, errors, metadata, one-way, cancelling (${codec})`, async () => {
      const { lines, of, summary } = await captured(codec, async (t) => {
        assert.deepEqual(await all(t.count(3)), [0, 1, 2])
        assert.equal(await t.total(upTo(8_000)), 31_996_000)
        assert.deepEqual(await all(t.double(upTo(3))), [0, 2, 4])
        assert.equal(await t.first(upTo(1_000_000)), 0)
        await assert.rejects(t.fail(), failsWith('failed_precondition'))
        await assert.rejects(all(t.failAfter(2)), failsWith('aborted'))
        for await (const n of t.count(1_000_000)) if (n === 5) break
        await t.$with({ metadata: { tenant: 'a', note: 'ü' }, key: 'k', timeoutMs: 5_000 }).seen()
        await t.$named.add({ a: 1, b: 2 })
        await t.$send.add(7, 8)
        const abort = new AbortController()
        const isRunning = begun('slow')
        const slow = t.$with({ signal: abort.signal }).slow()
        await isRunning
        abort.abort()
        await assert.rejects(slow, failsWith('cancelled'))
        await t.add(1, 1)
      })
      const ids = new Map(of('call').map((l) => [l['method'], l['id']]))
      const items = (name: string, from: string) =>
        of('item', ids.get(name)).filter((l) => l['from'] === from)
      assert.deepEqual(
        items('double', 'client').map((l) => l['value']),
        [0, 1, 2],
      )
      assert.deepEqual(
        items('double', 'server').map((l) => l['value']),
        [0, 2, 4],
      )
      assert.deepEqual(
        items('total', 'client').map((l) => l['value']),
        [...Array(8_000).keys()],
      )
      assert.equal(of('call').find((l) => l['method'] === 'total')?.['stream'], 0)
      assert.ok(
        lines.some((l) => l.type === 'credit' && l['from'] === 'server'),
        'credit came for a long argument',
      )
      assert.equal(
        of('cancel', ids.get('first'))[0]?.['from'],
        'server',
        'the server wants no more of the argument',
      )
      const failed = of('error', ids.get('fail'))[0]
      assert.deepEqual([failed?.['code'], failed?.['message']], ['failed_precondition', 'on purpose'])
      assert.deepEqual(failed?.['extra'], { reason: 'purpose', details: { why: [1, 2] } })
      assert.deepEqual(
        lines.filter((l) => l['id'] === ids.get('failAfter') && l.type !== 'method').map((l) => l.type),
        ['call', 'head', 'item', 'item', 'error'],
      )
      const seen = of('call').find((l) => l['method'] === 'seen')
      assert.deepEqual(
        [seen?.['metadata'], seen?.['key'], seen?.['bounded']],
        [{ tenant: 'a', note: 'ü' }, 'k', true],
      )
      assert.ok(Math.abs(seen?.['timeoutMs'] - 5_000) < 1_000, `time-out ${seen?.['timeoutMs']}`)
      const answer = of('reply', ids.get('seen'))[0]
      assert.deepEqual([answer?.['head'], answer?.['trailer']], [{ kind: 'head' }, { all: 'said' }])
      const oneway = of('call').find((l) => l['oneway'])
      assert.deepEqual(oneway?.['args'], [7, 8])
      assert.deepEqual(of('call').find((l) => l['form'] === 1)?.['args'], { a: 1, b: 2 })
      assert.equal(of('cancel', ids.get('slow'))[0]?.['code'], 'cancelled')
      assert.equal(of('reply', ids.get('slow')).length, 0)
      assert.ok(of('method').find((l) => l['method'] === 'add')?.['idempotent'])
      assert.equal(summary['client'].unanswered, 0)
    })
  }

  it('large messages come in parts, at most four at a time', async () => {
    const { of, summary } = await captured('msgpack', async (t) => {
      const texts = [...Array(4).keys()].map((n) => String(n).repeat(1_000_000))
      const replies = Promise.all([...texts.map((text) => t.echo(text)), t.add(1, 2)])
      assert.deepEqual(await replies, [...texts, 3])
      assert.deepEqual(
        (await all(t.large(1_500_000, 4))).map((text) => text.length),
        Array(4).fill(1_500_001),
      )
    })
    for (const side of ['client', 'server']) {
      assert.ok(summary[side].parts > 50)
      assert.ok(summary[side].assemblies <= 4)
      assert.equal(summary[side].underWay, 0)
    }
    assert.ok(
      of('call').every((l) => l['parts'] === undefined || l['number'] !== 0),
      'calls in parts define no method',
    )
  })

  it('a small call made after six large ones overtakes them', async () => {
    const { of, summary } = await captured('msgpack', async (t) => {
      const texts = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(1_000_000))
      await t.add(0, 0)
      assert.deepEqual(await Promise.all([...texts.map((text) => t.echo(text)), t.add(1, 2)]), [...texts, 3])
    })
    assert.ok(summary['client'].assemblies <= 4)
    const ids = of('call').map((l) => l['id'] as number)
    assert.ok(ids.indexOf(8) < ids.indexOf(7), `calls came in the order ${ids.join()}`)
  })

  it('credit of a large item that is cancelled in the middle returns', async () => {
    const { of, summary } = await captured('msgpack', async (t) => {
      for (let i = 0; i < 5; i++) {
        // More than the window of the connection in all; each leaves while the second item is on its way.
        for await (const text of t.large(1_500_000, 3)) {
          assert.equal(text.length, 1_500_001)
          break
        }
      }
      assert.equal((await all(t.large(1_500_000, 2))).length, 2)
    })
    assert.equal(of('cancel').length, 5)
    assert.ok(summary['server'].credit > 0)
    assert.equal(summary['server'].underWay, 0)
  })

  it('records: shapes are defined before they are used, and each side has its own', async () => {
    const point = { x: 1, y: { z: [{ x: 3, y: 'four' }] } }
    const { lines, of, summary } = await captured('msgpack', async (t) => {
      for (let i = 0; i < 5; i++) assert.deepEqual(await t.echo(point), point)
      const many = { list: Array.from({ length: 20_000 }, (_, n) => ({ id: n, name: `n${n}` })) }
      assert.deepEqual(await t.echo(many), many)
    })
    for (const side of ['client', 'server']) {
      assert.ok(summary[side].definitions >= 3)
      assert.ok(summary[side].records > 20_000)
      assert.ok(lines.some((l) => l.type === 'define' && l['from'] === side))
    }
    assert.deepEqual(
      of('reply')
        .slice(0, 5)
        .map((l) => l['value']),
      Array(5).fill(point),
    )
    assert.equal(of('reply')[5]?.['value'].list[19_999].name, 'n19999')
  })

  it('draining: what was accepted ends, and then the client ends the connection', async () => {
    const { lines } = await captured('msgpack', async (t, drain) => {
      const isRunning = begun('wait')
      const waiting = t.wait()
      await isRunning
      await drain()
      assert.equal(await waiting, 'done')
    })
    const told = lines.filter((l) => ['call', 'drain', 'reply', 'error'].includes(l.type))
    assert.deepEqual(
      told.map((l) => l.type),
      ['call', 'drain', 'reply'],
    )
    assert.equal(told[1]?.['id'], 1)
  })

  it('the decoder sees no faults where there are none', async () => {
    const { lines } = await runPeer(
      ['decode'],
      fine().flatMap((capture, at) => (at === 0 ? capture : ['---', ...capture])),
    )
    assert.deepEqual(
      lines.filter(({ type }) => type === 'fault'),
      [],
    )
    assert.equal(lines.filter(({ type }) => type === 'summary').length, fine().length)
  })

  it('the decoder does see faults', async () => {
    const cases = faults()
    const { code, lines } = await runPeer(
      ['decode'],
      cases.flatMap(([, capture], at) => (at === 0 ? capture : ['---', ...capture])),
    )
    assert.equal(code, 1)
    for (const [why] of cases) {
      const found = lines.splice(0, lines.findIndex(({ type }) => type === 'summary') + 1)
      const whys = found.filter(({ type }) => type === 'fault').map((l) => l['why'] as string)
      assert.ok(
        whys.some((text) => text.includes(why)),
        `${why}: found ${whys.join(', ') || 'nothing'}`,
      )
    }
  })
})

/** What captures are made of. */
const parts = (() => {
  const hex = (text: string) => Buffer.from(text).toString('hex')
  const preface = (fields: object) => {
    const text = JSON.stringify(fields)
    return `00${hex('FARCALL')}${text.length.toString(16).padStart(8, '0')}${hex(text)}`
  }
  const frame = (body: string) =>
    (body.replaceAll(' ', '').length / 2).toString(16).padStart(8, '0') + body.replaceAll(' ', '')
  const hello = [
    `> ${preface({ versions: [1], codecs: ['msgpack'] })}`,
    `< ${preface({ versions: [1], codecs: ['msgpack'] })}`,
  ]
  const up = (body: string) => `> ${frame(body)}`
  const down = (body: string) => `< ${frame(body)}`
  const call = (id: string, flags = '00', rest = '90') =>
    up(`01 ${id} ${flags} 01 01${hex('s')} 01${hex('m')} ${rest}`)
  const stream = call('01', '04', '00 91c0')
  const item = `05 01 c5 0f00 ${'00'.repeat(0xf00)}`
  const part = (id: string) => up(`0e ${id} 00`)
  // An item in the middle.
  const torn = [...hello, call('01'), down('04 01 00'), down('0e 01 a5')]
  return { hex, preface, hello, up, down, call, stream, item, part, torn }
})()

/** Captures that break no rule, though they may look so. */
function fine(): string[][] {
  const { hello, up, down, call, part, stream, item, torn } = parts
  const window = Array(17).fill(up(item)) as string[]
  return [
    // Late ids.
    [...hello, call('05'), call('02'), call('04')],
    // An ERROR, then an END, in the place of an item.
    [...torn, down('03 01 00 01 00')],
    [...torn, down('06 01 00')],
    // What was on its way for a call, or an argument, that is over.
    [...torn, up('07 01 01 00'), down('0e 01 a5'), down('45 01 61'), up('08 01 05')],
    [...hello, stream, down('02 01 00 c0'), part('01'), up('45 01 c0'), up('06 01 00')],
    [...hello, stream, part('01'), down('07 01 01 00'), part('01'), up('05 01 c0'), down('02 01 00 c0')],
    // Credit of streams that are over returns by itself, and no other counts.
    [
      ...hello,
      stream,
      ...window,
      up('06 01 00'),
      down('08 01 05'),
      call('02', '04', '00 91c0'),
      up('05 02 c0'),
    ],
    [...hello, stream, ...window, down('07 01 01 00'), call('02', '04', '00 91c0'), up('05 02 c0')],
    // Four calls in parts are given up, so others may begin.
    [...hello, ...['01', '02', '03', '04'].flatMap((id) => [part(id), up(`07 ${id} 01 00`)]), part('05')],
  ]
}

/** Captures that break one rule each, and what is to be said of them. */
function faults(): [string, string[]][] {
  const { hex, preface, hello, up, down, call, stream, item, part, torn } = parts
  return [
    ['no preface', ['> 0102030405060708']],
    ['before the client', [`< ${preface({ versions: [1], codecs: ['json'] })}`]],
    ['2 to 4096 are allowed', [...hello, '> 00001001']],
    ['the id was used before', [...hello, call('02'), call('01'), call('02')]],
    ['the id was used before', [...hello, part('01'), call('01')]],
    ['of which no part has come', [...hello, up(`41 01 00 01 01${hex('s')} 01${hex('m')} 90`)]],
    ['of which no part has come', [...torn, down('03 01 00 01 00'), call('02'), down('42 02 00 c0')]],
    ['method 5 is not defined', [...hello, up('01 01 00 05 90')]],
    ['there is no such call', [...hello, down('02 01 00 c0')]],
    ['answered already', [...hello, call('01'), down('02 01 00 c0'), down('02 01 00 c0')]],
    ['one-way call', [...hello, call('01', '08'), down('02 01 00 c0')]],
    ['before HEAD', [...hello, call('01'), down('05 01 c0')]],
    ['a second HEAD', [...hello, call('01'), down('04 01 00'), down('04 01 00')]],
    ['a REPLY after HEAD', [...hello, call('01'), down('04 01 00'), down('02 01 00 c0')]],
    [
      'after the end of the stream',
      [...hello, call('01'), down('04 01 00'), down('06 01 00'), down('05 01 c0')],
    ],
    ['no stream argument', [...hello, call('01'), up('05 01 c0')]],
    ['the argument has ended', [...hello, stream, up('06 01 00'), up('05 01 c0')]],
    ['stand as null', [...hello, call('01', '04', '00 9101')]],
    ['with a credit of', [...hello, stream, ...Array(19).fill(up(item))]],
    // What comes back when a stream has ended counts for the connection, not for its call.
    [
      'with a credit of',
      [...hello, stream, ...Array(17).fill(up(item)), down('08 01 00'), ...Array(2).fill(up(item))],
    ],
    ['are given back', [...hello, stream, up('05 01 c0'), down('08 01 0a')]],
    ['there is no such call', [...hello, down('08 00 01')]],
    ['5 messages under way', [...hello, ...['01', '02', '03', '04', '05'].map(part)]],
    ['must not define', [...hello, up('0e 01 00'), up(`41 01 00 01${hex('s')} 01${hex('m')} 90`)]],
    ['answered already', [...torn, down('03 01 00 01 00'), down('0e 01 a5')]],
    ['the client has cancelled', [...hello, part('01'), up('07 01 01 00'), part('01')]],
    ['must not send it', [...hello, call('01'), up('42 01 00 c0')]],
    ['does not take definitions', [...hello, up('0d 00 00 01 01 61')]],
    ['record 0 is not defined', [...hello, call('01', '00', '91 c1 00')]],
    ['after the end of a value', [...hello, call('01', '00', '90 90')]],
    ['answers no PING', [...hello, up('0a 00 01')]],
    ['a frame after CLOSE', [...hello, up('0f 00 0e 00'), up('09 00')]],
    [
      'without saying that it was not executed',
      [...hello, call('01'), down('0b 00'), down('03 01 00 0e 00')],
    ],
    ['middle of a frame', [...hello, '> 0000', '> end']],
  ]
}
