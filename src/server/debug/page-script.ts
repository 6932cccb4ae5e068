/**
 * What fills the debug page: asks for the report every two seconds while the page is seen, and shows what has changed.
 * Whatever came from elsewhere is shown as text, never as markup. A function, for a bundler cannot tell that `String.raw`
 * does nothing else, and would give all of it to clients.
 */
export const pageScript = (): string => String.raw`'use strict'
const everyMs = 2000
const keep = 90
const windowMs = 10000
const absent = 'What is not there'
const reports = []
const rows = new Map()
const cards = new Map()
const $ = (id) => document.getElementById(id)
let token = new URLSearchParams(location.hash.slice(1)).get('token') || ''

function make(tag, name, text) {
  const element = document.createElement(tag)
  if (name) element.className = name
  if (text !== undefined) element.textContent = text
  return element
}
function draw(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  return element
}
function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}
function count(n) {
  if (n < 10000) return n === Math.round(n) ? String(n) : n.toFixed(n < 10 ? 1 : 0)
  const units = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]
  const [size, unit] = units.find(([least]) => n >= least)
  return (n / size).toFixed(n / size < 100 ? 1 : 0) + unit
}
function time(ms) {
  if (ms === 0) return '0'
  if (ms < 1) return (ms * 1000).toFixed(0) + ' µs'
  if (ms < 100) return ms.toFixed(ms < 10 ? 1 : 0) + ' ms'
  if (ms < 1000) return ms.toFixed(0) + ' ms'
  return ms < 60000 ? (ms / 1000).toFixed(1) + ' s' : (ms / 60000).toFixed(1) + ' min'
}
function size(bytes) {
  return bytes < 1048576 ? (bytes / 1024).toFixed(0) + ' KiB' : (bytes / 1048576).toFixed(bytes < 104857600 ? 1 : 0) + ' MiB'
}
function span(seconds) {
  if (seconds < 120) return seconds.toFixed(0) + ' s'
  if (seconds < 7200) return (seconds / 60).toFixed(0) + ' min'
  return seconds < 172800 ? (seconds / 3600).toFixed(1) + ' h' : (seconds / 86400).toFixed(1) + ' days'
}
function sum(numbers) {
  let total = 0
  for (const number of numbers) total += number
  return total
}

function statsOf(report) {
  const all = report.services.flatMap((service) => service.methods.map((method) => method.stats)).filter(Boolean)
  return report.unknown ? [...all, report.unknown] : all
}
const callsOf = (report) => sum(statsOf(report).map((stats) => stats.calls))
const errorsIn = (stats) => sum(Object.values(stats.errors))
const errorsOf = (report) => sum(statsOf(report).map(errorsIn))
function earlier(report) {
  return reports.find((one) => one.at >= report.at - windowMs - everyMs / 2) || report
}
function rate(now, before, read) {
  const ms = now.at - before.at
  return ms > 0 ? Math.max(0, (read(now) - read(before)) * 1000 / ms) : 0
}
function recent(now, before) {
  const counts = new Map()
  for (const stats of statsOf(now)) for (const [upTo, n] of stats.latency.buckets) counts.set(upTo, (counts.get(upTo) || 0) + n)
  if (before !== now)
    for (const stats of statsOf(before)) for (const [upTo, n] of stats.latency.buckets) counts.set(upTo, (counts.get(upTo) || 0) - n)
  const sorted = [...counts].filter(([, n]) => n > 0).sort((a, b) => a[0] - b[0])
  const total = sum(sorted.map(([, n]) => n))
  return (share) => {
    let seen = 0
    for (const [upTo, n] of sorted) if ((seen += n) >= total * share) return upTo
    return undefined
  }
}

function tile(id, name) {
  let element = $('tile-' + id)
  if (element) return element
  element = make('div', 'tile')
  element.id = 'tile-' + id
  element.append(make('div', 'name', name), make('div', 'value'), make('div', 'note'))
  const svg = draw('svg', { viewBox: '0 0 100 28', preserveAspectRatio: 'none', 'aria-hidden': 'true' })
  svg.append(draw('polygon', {}), draw('polyline', {}))
  element.append(svg)
  $('tiles').append(element)
  return element
}
function showTile(id, name, value, note, history) {
  const element = tile(id, name)
  const [number, unit] = value.split(' ')
  const shown = element.querySelector('.value')
  shown.replaceChildren(number, ...(unit ? [' ', make('small', '', unit)] : []))
  say(element.querySelector('.note'), note)
  element.querySelector('.note').title = note
  const most = Math.max(...history, 1e-9)
  const slots = Math.max(30, history.length)
  const at = (n, i) => (100 * (slots - history.length + i) / (slots - 1)).toFixed(1) + ',' + (27 - 25 * n / most).toFixed(1)
  const line = history.map(at)
  element.querySelector('polyline').setAttribute('points', line.join(' '))
  const first = (100 * (slots - history.length) / (slots - 1)).toFixed(1)
  element.querySelector('polygon').setAttribute('points', [first + ',28', ...line, '100,28'].join(' '))
  return element
}
function showTiles(now) {
  const before = earlier(now)
  const rates = (read) => reports.map((one, i) => (i === 0 ? 0 : rate(one, reports[i - 1], read)))
  const perSecond = rate(now, before, callsOf)
  const failing = rate(now, before, errorsOf)
  const quantile = recent(now, before)
  const p99 = quantile(0.99)
  showTile('calls', 'Calls', count(perSecond) + ' /s', count(callsOf(now)) + ' in all', rates(callsOf))
  showTile('flight', 'In flight', count(now.inFlight), now.uncooperative ? now.uncooperative + ' did not end' : ' ', reports.map((one) => one.inFlight))
  const share = perSecond > 0 ? (100 * failing / perSecond).toFixed(failing / perSecond < 0.1 ? 1 : 0) + '% of calls' : count(errorsOf(now)) + ' in all'
  showTile('errors', 'Errors', count(failing) + ' /s', share, rates(errorsOf)).classList.toggle('bad', failing > 0)
  const median = quantile(0.5)
  const history = reports.map((one, i) => (i === 0 ? 0 : recent(one, reports[i - 1])(0.99) || 0))
  showTile('latency', 'Latency, p99', p99 === undefined ? '–' : time(p99), median === undefined ? 'no calls lately' : 'median ' + time(median), history)
  const { open, silent, turnedAway, unrecognised, accepted } = now.connections
  const odd = [[silent, 'silent'], [unrecognised, 'not understood'], [turnedAway, 'turned away']].filter(([n]) => n > 0)
  const note = [count(accepted) + ' in all', ...odd.map(([n, what]) => count(n) + ' ' + what)].join(', ')
  showTile('connections', 'Connections', count(open), note, reports.map((one) => one.connections.open))
  if (now.process) {
    const busy = reports.length > 1 ? Math.max(0, (now.process.cpuSeconds - before.process.cpuSeconds) / ((now.at - before.at) / 1000 || 1)) : 0
    showTile('memory', 'Memory', size(now.process.residentBytes), (100 * busy).toFixed(0) + '% processor', reports.map((one) => one.process.residentBytes))
  }
}

function cells(...values) {
  const tr = make('tr')
  for (const value of values) {
    const td = make('td')
    td.append(value)
    tr.append(td)
  }
  return tr
}
function showProtocols(now) {
  const before = earlier(now)
  const spoken = [...new Set(now.endpoints.map((at) => (/^([a-z0-9-]+)\+/.exec(at) || ['', 'farcall'])[1]))]
  const heard = [...new Set([...spoken, ...Object.keys(now.callsBy), ...Object.keys(now.sessions)])].filter((name) => now.sessions[name] || now.callsBy[name])
  const shown = heard.map((name) => {
    const calls = now.callsBy[name] || 0
    return cells(name, count(now.sessions[name] || 0), count(calls), count(rate(now, before, (one) => one.callsBy[name] || 0)))
  })
  const card = $('protocols')
  card.querySelector('tbody').replaceChildren(...shown)
  const quiet = spoken.filter((name) => !heard.includes(name))
  say(card.querySelector('.note'), quiet.length > 0 ? 'also spoken: ' + quiet.join(', ') : '')
}
function showRegistries(now) {
  const card = $('registries')
  card.hidden = now.registries.length === 0
  card.querySelector('tbody').replaceChildren(...now.registries.map(({ target, state, reason }) => {
    const line = cells(target, make('span', 'pill ' + state, state))
    if (reason) line.firstChild.append(make('div', 'doc', reason))
    return line
  }))
  say(card.querySelector('.note'), 'weight ' + now.weight)
}

const columns = [['Calls', 'calls'], ['Per second', 'rate'], ['In flight', 'flight'], ['Errors', 'errors'], ['p50', 'p50'], ['p90', 'p90'], ['p99', 'p99'], ['Max', 'max']]
function card(service, alone) {
  let element = cards.get(service.name)
  if (element) return element
  element = make(service.internal ? 'details' : 'section', 'card')
  // A registry has nothing else.
  element.open = alone
  const title = make(service.internal ? 'summary' : 'div', 'title')
  title.append(make(service.internal ? 'span' : 'h2', '', service.name), make('span', 'note'))
  const table = make('table')
  const head = make('tr')
  head.append(make('th', '', 'Method'))
  for (const [name] of columns) head.append(make('th', '', name))
  head.append(make('th', '', 'Spread'))
  const thead = make('thead')
  thead.append(head)
  table.append(thead, make('tbody'))
  element.append(title, table)
  $(service.internal ? 'more' : 'services').append(element)
  cards.set(service.name, element)
  return element
}
function row(key, body, method) {
  let element = rows.get(key)
  if (element) return element
  element = make('tr')
  const first = make('td')
  const signature = make('div', 'signature')
  signature.append(make('b', '', method.name), method.signature.slice(method.name.length))
  first.append(signature)
  const { args = '…', reply = '…' } = method.types || {}
  if (method.types) first.append(make('div', 'types', '(' + args + ') → ' + reply))
  if (method.doc) first.append(make('div', 'doc', method.doc))
  const traits = make('div', 'chips')
  if (method.input === 'stream') traits.append(make('span', 'chip', 'takes a stream'))
  if (method.output === 'stream') traits.append(make('span', 'chip', 'answers a stream'))
  if (method.idempotent) traits.append(make('span', 'chip', 'idempotent'))
  if (method.timeoutMs) traits.append(make('span', 'chip', 'at most ' + time(method.timeoutMs)))
  first.append(traits, make('div', 'chips codes'))
  element.append(first)
  for (const [name, id] of columns) {
    const cell = make('td', id)
    cell.dataset.name = name
    element.append(cell)
  }
  const last = make('td', 'wide')
  last.dataset.name = 'Spread'
  last.append(draw('svg', { class: 'spread', viewBox: '0 0 112 20', preserveAspectRatio: 'none', role: 'img' }))
  element.append(last)
  body.append(element)
  rows.set(key, element)
  return element
}
// From 16 µs to 67 s, each column twice as long as the one before.
function showSpread(svg, latency) {
  const bins = new Array(22).fill(0)
  for (const [upTo, n] of latency.buckets) bins[Math.min(21, Math.max(0, Math.ceil(Math.log2(upTo * 1000)) - 4))] += n
  const most = Math.max(...bins, 1)
  const bars = [draw('line', { x1: 0, x2: 112, y1: 19.5, y2: 19.5 })]
  bins.forEach((n, i) => {
    if (n === 0) return
    const height = Math.max(1.5, 19 * Math.sqrt(n / most))
    const tail = 2 ** (i + 3) / 1000 >= latency.p90Ms ? 'tail' : ''
    bars.push(draw('rect', { x: i * 5.1, y: 19.5 - height, width: 4.3, height, rx: 0.8, class: tail }))
  })
  svg.replaceChildren(...bars)
  svg.setAttribute('aria-label', 'median ' + time(latency.p50Ms) + ', p99 ' + time(latency.p99Ms))
}
const nothing = { calls: 0, inFlight: 0, errors: {}, latency: { p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0, buckets: [] } }
function showRow(element, stats, before, ms) {
  const { calls, inFlight, errors, latency } = stats || nothing
  const failed = errorsIn({ errors })
  const perSecond = ms > 0 && before ? Math.max(0, (calls - before.calls) * 1000 / ms) : ms > 0 ? calls * 1000 / ms : 0
  const values = { calls, rate: perSecond, flight: inFlight, errors: failed }
  for (const [id, value] of Object.entries(values)) {
    const cell = element.querySelector('td.' + id)
    say(cell, count(value))
    cell.classList.toggle('zero', value === 0)
    cell.classList.toggle('bad', id === 'errors' && value > 0)
  }
  for (const id of ['p50', 'p90', 'p99', 'max']) {
    const cell = element.querySelector('td.' + id)
    say(cell, calls === 0 ? '–' : time(latency[id + 'Ms']))
    cell.classList.toggle('zero', calls === 0)
  }
  const codes = Object.entries(errors).map(([code, n]) => make('span', 'chip bad', code + ' ' + count(n)))
  element.querySelector('.codes').replaceChildren(...codes)
  showSpread(element.querySelector('.spread'), latency)
}
function showServices(now) {
  const before = earlier(now)
  const then = new Map()
  for (const service of before.services) for (const method of service.methods) then.set(service.name + '.' + method.name, method.stats)
  const seen = new Set()
  const alone = now.services.every((service) => service.internal)
  const all = now.unknown
    ? [...now.services, { name: absent, internal: false, methods: [{ name: '?', signature: '?', doc: 'Calls of names that no service has.', stats: now.unknown }] }]
    : now.services
  for (const service of all) {
    const element = card(service, alone)
    const note = service.name === absent ? '' : [service.version, service.methods.length === 1 ? '1 method' : service.methods.length + ' methods'].filter(Boolean).join(' · ')
    say(element.querySelector('.note'), note)
    seen.add(element)
    for (const method of service.methods) {
      const key = service.name + '.' + method.name
      const entry = row(key, element.querySelector('tbody'), method)
      seen.add(entry)
      const old = method.name === '?' ? before.unknown : then.get(key)
      showRow(entry, method.stats, old || (before === now ? method.stats : undefined), now.at - before.at)
    }
  }
  for (const held of [rows, cards])
    for (const [key, element] of held)
      if (!seen.has(element)) {
        element.remove()
        held.delete(key)
      }
}
function showFacts(now) {
  const state = $('state')
  say(state, now.state)
  state.className = 'pill ' + now.state
  const facts = [['id', now.id], ['at', now.targets.join(', ')]]
  if (now.registries.length === 0 && now.weight !== 1) facts.push(['weight', count(now.weight)])
  if (now.process) facts.push(['up', span(now.at / 1000 - now.process.startedAt)])
  for (const [name, value] of Object.entries(now.facts)) facts.push([name, typeof value === 'number' ? count(value) : value])
  $('facts').replaceChildren(...facts.map(([name, value]) => {
    const pair = make('div')
    pair.append(make('dt', '', name), make('dd', '', value))
    return pair
  }))
  document.title = 'Farcall · ' + (now.targets[0] || now.id)
}
function trouble(text, asks) {
  $('trouble').hidden = text === ''
  say($('trouble'), text)
  $('ask').hidden = !asks
}

async function refresh() {
  const headers = token ? { authorization: 'Bearer ' + token } : {}
  let response
  try {
    response = await fetch('?format=json', { headers, cache: 'no-store' })
  } catch {
    $('state').className = 'pill lost'
    say($('state'), 'no answer')
    return trouble('The server does not answer; asking again.', false)
  }
  const body = await response.json().catch(() => ({}))
  if (!response.ok) return trouble(body.message || 'status ' + response.status, response.status === 401)
  if (reports.length > 0 && reports[0].id !== body.id) reports.length = 0
  reports.push(body)
  if (reports.length > keep) reports.shift()
  trouble('', false)
  document.querySelector('main').hidden = false
  showFacts(body)
  showTiles(body)
  showProtocols(body)
  showRegistries(body)
  showServices(body)
  say($('updated'), 'as of ' + new Date(body.at).toLocaleTimeString())
}
async function loop() {
  if (!document.hidden) await refresh().catch((error) => trouble(String(error), false))
  setTimeout(loop, everyMs)
}
$('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  token = $('token').value.trim()
  refresh()
})
loop()
`
