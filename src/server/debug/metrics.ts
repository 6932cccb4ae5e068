import type { MethodStats } from '../stats.ts'
import type { Around, ProcessView, ServerView } from './server-view.ts'

/** The media type of what {@link formatMetrics} writes. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

// Powers of two microseconds: there, and only there, the bounds of our histogram lie as well, so the counts are exact.
const bounds = /* @__PURE__ */ Array.from({ length: 11 }, (_, at) => 2 ** (2 * at + 6) / 1e6)

type Labels = Readonly<Record<string, string>>

/** What a server knows of itself as Prometheus text, version 0.0.4. */
export function formatMetrics(
  server: ServerView,
  { running, facts }: Pick<Around, 'running' | 'facts'>,
): string {
  const text = new MetricsText()
  const { connections, sessions, callsBy, registries, inFlight, methods, uncooperative } = server.stats()
  text.add(
    'farcall_up',
    'gauge',
    'Whether the server takes calls: 1, or 0 while it starts, drains or is closed.',
    [[{}, server.state === 'serving' ? 1 : 0]],
  )
  text.add('farcall_weight', 'gauge', 'What it weighs in registries.', [[{}, server.weight]])
  writeCalls(text, methods)
  text.add('farcall_in_flight', 'gauge', 'Calls that have not ended, streams among them.', [[{}, inFlight]])
  text.add(
    'farcall_uncooperative_total',
    'counter',
    'Generators that did not end when their call was cancelled.',
    [[{}, uncooperative]],
  )
  text.add('farcall_connections', 'gauge', 'Open connections.', [[{}, connections.open]])
  text.add('farcall_connections_silent', 'gauge', 'Open connections that have never sent anything.', [
    [{}, connections.silent],
  ])
  text.add('farcall_connections_accepted_total', 'counter', 'Connections that were accepted.', [
    [{}, connections.accepted],
  ])
  text.add(
    'farcall_connections_turned_away_total',
    'counter',
    'Connections closed because there were too many.',
    [[{}, connections.turnedAway]],
  )
  text.add(
    'farcall_connections_unrecognised_total',
    'counter',
    'Connections of which nobody knew what they speak.',
    [[{}, connections.unrecognised]],
  )
  const spoken = Object.entries(sessions).map(([protocol, count]) => [{ protocol }, count] as const)
  text.add('farcall_sessions', 'gauge', 'Open sessions of each protocol.', spoken)
  const by = Object.entries(callsBy).map(([protocol, count]) => [{ protocol }, count] as const)
  text.add('farcall_protocol_calls_total', 'counter', 'Calls that were made by each protocol.', by)
  text.add(
    'farcall_registered',
    'gauge',
    'Whether a registry has the server, and can be told of it: 1 or 0.',
    registries.map(({ target, state }) => [{ registry: target }, state === 'registered' ? 1 : 0]),
  )
  const numbers = Object.entries(facts).flatMap(([name, value]) =>
    typeof value === 'number' ? [[{ name }, value] as const] : [],
  )
  text.add('farcall_fact', 'gauge', 'What the program says of itself, by name.', numbers)
  if (running !== undefined) writeProcess(text, running)
  return text.take()
}

function writeCalls(text: MetricsText, methods: readonly MethodStats[]): void {
  const of = ({ service, method }: MethodStats): Labels => ({ service, method })
  text.add(
    'farcall_calls_total',
    'counter',
    'Calls that have ended, also those that failed.',
    methods.map((one) => [of(one), one.calls]),
  )
  text.add(
    'farcall_call_errors_total',
    'counter',
    'Calls that have failed, by the code of the error.',
    methods.flatMap((one) =>
      Object.entries(one.errors).map(([code, count]) => [{ ...of(one), code }, count] as const),
    ),
  )
  text.add(
    'farcall_calls_in_flight',
    'gauge',
    'Calls of a method that have not ended.',
    methods.map((one) => [of(one), one.inFlight]),
  )
  text.head('farcall_call_duration_seconds', 'histogram', 'From the arrival of a call to its end.')
  for (const one of methods) writeHistogram(text, of(one), one)
}

function writeHistogram(text: MetricsText, labels: Labels, { latency }: MethodStats): void {
  const name = 'farcall_call_duration_seconds'
  let next = 0
  let sum = 0
  for (const bound of bounds) {
    for (let bucket = latency.buckets[next]; bucket !== undefined; bucket = latency.buckets[next]) {
      // Compared in microseconds, with a little room for how fractions of milliseconds are rounded.
      if (bucket[0] * 1000 > bound * 1e6 + 1e-6) break
      sum += bucket[1]
      next++
    }
    text.sample(`${name}_bucket`, { ...labels, le: String(bound) }, sum)
  }
  text.sample(`${name}_bucket`, { ...labels, le: '+Inf' }, latency.count)
  text.sample(`${name}_sum`, labels, (latency.meanMs * latency.count) / 1000)
  text.sample(`${name}_count`, labels, latency.count)
}

function writeProcess(text: MetricsText, running: ProcessView): void {
  text.add('process_resident_memory_bytes', 'gauge', 'Memory that the process holds.', [
    [{}, running.residentBytes],
  ])
  text.add('nodejs_heap_size_used_bytes', 'gauge', 'The part of the heap that is in use.', [
    [{}, running.heapUsedBytes],
  ])
  text.add('nodejs_heap_size_total_bytes', 'gauge', 'The heap.', [[{}, running.heapTotalBytes]])
  text.add('process_cpu_seconds_total', 'counter', 'Processor time.', [[{}, running.cpuSeconds]])
  text.add('process_start_time_seconds', 'gauge', 'When the process began, since 1970.', [
    [{}, running.startedAt],
  ])
  text.add('nodejs_eventloop_utilization', 'gauge', 'The share of the time that the event loop was busy.', [
    [{}, running.loopUtilization],
  ])
}

class MetricsText {
  #text = ''

  /** A metric with its samples; one without samples is left out. */
  add(name: string, type: string, help: string, samples: readonly (readonly [Labels, number])[]): void {
    if (samples.length === 0) return
    this.head(name, type, help)
    for (const [labels, value] of samples) this.sample(name, labels, value)
  }

  head(name: string, type: string, help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
  }

  sample(name: string, labels: Labels, value: number): void {
    const shown = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
    this.#text += `${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}\n`
  }

  take(): string {
    return this.#text
  }
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
