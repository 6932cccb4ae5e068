export interface ShowOptions {
  /** The longest text. */
  readonly maxChars: number
  /** Names that are hidden wherever they occur, or, with dots, at that path only. Case does not matter. */
  readonly redact: ReadonlySet<string>
}

const maxDepth = 6
const hidden = '"[redacted]"'

/**
 * A value as one line for a log: like JSON, never longer than allowed, never throwing, whatever the value is, and
 * without what is to be hidden. It looks at no more of the value than it shows.
 */
export function show(value: unknown, options: ShowOptions, path = ''): string {
  const parts: string[] = []
  let room = options.maxChars
  try {
    visit(value, path, 0)
  } catch (thrown) {
    if (thrown !== full) return '(cannot be shown)'
    parts.push('…')
  }
  return parts.join('')

  function put(text: string): void {
    parts.push(text.length <= room ? text : text.slice(0, room))
    room -= text.length
    if (room < 0) throw full
  }

  function visit(one: unknown, at: string, depth: number): void {
    if (isHidden(at)) return put(hidden)
    if (typeof one === 'string') return put(JSON.stringify(one.slice(0, room + 1)))
    if (typeof one === 'bigint') return put(`${one}n`)
    if (typeof one === 'function') return put('[function]')
    if (typeof one !== 'object' || one === null) return put(String(one))
    if (depth >= maxDepth) return put('…')
    if (ArrayBuffer.isView(one)) return put(`[${one.byteLength} bytes]`)
    if (one instanceof Date) return put(Number.isNaN(one.getTime()) ? 'Invalid Date' : one.toISOString())
    if (one instanceof Error) return put(JSON.stringify(`${one.name}: ${one.message}`.slice(0, room + 1)))
    if (Symbol.asyncIterator in one) return put('[stream]')
    if (Array.isArray(one))
      return list('[', ']', one, (item, i) => visit(item, under(at, String(i)), depth + 1))
    if (one instanceof Set) return list('Set[', ']', one, (item) => visit(item, under(at, ''), depth + 1))
    if (one instanceof Map) return list('Map{', '}', one, ([key, item]) => pair(key, item, at, depth))
    list('{', '}', Object.keys(one), (key) => {
      // A hidden property is not even read.
      const inside = under(at, key)
      put(`${JSON.stringify(key.slice(0, room + 1))}:`)
      if (isHidden(inside)) put(hidden)
      else visit((one as Record<string, unknown>)[key], inside, depth + 1)
    })
  }

  function pair(key: unknown, item: unknown, at: string, depth: number): void {
    const name = typeof key === 'string' ? key : ''
    visit(key, '', depth + 1)
    put(':')
    visit(item, under(at, name), depth + 1)
  }

  function list<T>(
    open: string,
    close: string,
    items: Iterable<T>,
    each: (item: T, index: number) => void,
  ): void {
    put(open)
    let index = 0
    for (const item of items) {
      if (index > 0) put(',')
      each(item, index++)
    }
    put(close)
  }

  function isHidden(at: string): boolean {
    if (options.redact.size === 0 || at === '') return false
    const lower = at.toLowerCase()
    return options.redact.has(lower) || options.redact.has(lower.slice(lower.lastIndexOf('.') + 1))
  }
}

// Made once: it only ends the visit.
const full = /* @__PURE__ */ new Error('no more room')

function under(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
