/** What a codec does with an object. Shared by all codecs, so that the same values travel in each. */
export type SendableKind =
  | 'array'
  /** Travels as its own enumerable properties: plain objects and instances of classes. */
  | 'object'
  | 'bytes'
  | 'date'
  | 'map'
  | 'set'
  | 'error'
  /** Travels as what its `toJSON` method returns. */
  | 'json'
  /** A `new Number(…)`, `new String(…)`, `new Boolean(…)` or `Object(1n)`; travels as the value in the box. */
  | 'boxed'
  | 'unsendable'

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1)

/**
 * Tells how an object travels. Objects of another realm (a `vm` context, as some test runners make) count as their
 * kind too. Looks at the object alone, not at what it holds; a Date may still be invalid.
 */
export function sendableKind(value: object): SendableKind {
  if (Array.isArray(value)) return 'array'
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = builtInKind(value)
    if (kind !== undefined) return kind
  }
  if (isThenable(value) || isAsyncIterable(value)) return 'unsendable'
  return hasToJson(value) ? 'json' : 'object'
}

/** Whether an object says itself how it is written as JSON. */
export function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

export function isAsyncIterable(value: object): boolean {
  return typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
}

export function isThenable(value: object): boolean {
  return typeof (value as { then?: unknown }).then === 'function'
}

function builtInKind(value: object): SendableKind | undefined {
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Date) return 'date'
  if (value instanceof Map) return 'map'
  if (value instanceof Set) return 'set'
  if (value instanceof Error) return 'error'
  switch (tagOf(value)) {
    case 'Uint8Array':
      return 'bytes'
    case 'Date':
      return 'date'
    case 'Error':
      return 'error'
    case 'Map':
      // Any class may call itself Map; only a real one answers here.
      return answers(() => Map.prototype.has.call(value, 0)) ? 'map' : undefined
    case 'Set':
      return answers(() => Set.prototype.has.call(value, 0)) ? 'set' : undefined
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      return typeof value.valueOf() === 'object' ? undefined : 'boxed'
    default:
      return builtInName(value) === undefined ? undefined : 'unsendable'
  }
}

const unsendableTags = new Set([
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'RegExp',
  'WeakMap',
  'WeakSet',
  'WeakRef',
])

/** The name of a built-in kind of object that cannot travel, or undefined. */
export function builtInName(value: object): string | undefined {
  const tag = tagOf(value)
  if (ArrayBuffer.isView(value) || unsendableTags.has(tag)) return tag
  if (tag === 'Symbol' || tag === 'Promise') return tag
  return tag === 'Generator' || tag.endsWith(' Iterator') ? tag : undefined
}

function answers(ask: () => unknown): boolean {
  try {
    ask()
    return true
  } catch {
    return false
  }
}
