/**
 * Whether a value is plain JSON, so that `JSON.stringify` writes it as it is meant, within the depth and size given.
 * That is the common case, and the native function the fastest way; where this says no, the writer takes over.
 */
export function isPlainJson(value: unknown, room: { depth: number; bytes: number }): boolean {
  return plain(value, room.depth, { left: room.bytes })
}

interface Budget {
  left: number
}

function plain(value: unknown, depth: number, budget: Budget): boolean {
  if (--budget.left < 0) return false
  switch (typeof value) {
    case 'string':
      budget.left -= value.length
      return value.isWellFormed()
    case 'number':
      return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
    case 'boolean':
      return true
    case 'object':
      if (value === null) return true
      if (depth === 0) return false
      return Array.isArray(value) ? plainArray(value, depth, budget) : plainObject(value, depth, budget)
    default:
      return false
  }
}

function plainArray(list: readonly unknown[], depth: number, budget: Budget): boolean {
  if ((list as { toJSON?: unknown }).toJSON !== undefined || Object.getPrototypeOf(list) !== Array.prototype)
    return false
  for (let i = 0; i < list.length; i++) if (!plain(list[i], depth - 1, budget)) return false
  return true
}

function plainObject(object: object, depth: number, budget: Budget): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) return false
  if (Symbol.asyncIterator in object || 'toJSON' in object) return false
  const keys = Object.keys(object)
  // Such an object looks like one of ours and has to be escaped.
  if (keys.length === 1 && keys[0]?.startsWith('$') === true) return false
  for (const key of keys) {
    budget.left -= key.length
    if (!key.isWellFormed() || !plain((object as Record<string, unknown>)[key], depth - 1, budget))
      return false
  }
  return true
}
