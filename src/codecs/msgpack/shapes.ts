import { MemoryOutput } from '../../core/bytes/output.ts'
import { utf8Length, writeText } from '../../core/bytes/text.ts'
import { writeVarint } from '../../core/bytes/varint.ts'
import { maxRecordKeys, maxRecordNameBytes, maxRecords } from './format.ts'

const maxNodes = 2048
const maxNameLength = 128

/** One key after the keys before it. The child that was met last stands in the node itself: mostly it comes again. */
export class ShapeNode {
  readonly name: string
  readonly parent: ShapeNode | undefined
  readonly depth: number
  lastName = ''
  last: ShapeNode | undefined
  others: Map<string, ShapeNode> | undefined
  /** The id of the record of exactly the keys up to here; -1 for none. */
  record = -1
  seen = false

  constructor(name: string, parent: ShapeNode | undefined) {
    this.name = name
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
  }
}

/**
 * The shapes (ordered lists of own keys) that an encoder has met in its session, as a trie from key to key. A shape
 * that is met a second time becomes a record, and its definition is due to the peer. Everything is bounded: objects
 * used as dictionaries have a new shape each time, and must not fill the memory of either side.
 */
export class Shapes {
  readonly root = new ShapeNode('', undefined)
  #nodes = 1
  #records = 0
  #nameBytes = 0
  #full = false
  /** Once records alone fill half of it, pruning frees too little: what is known by then is all. */
  #frozen = false
  readonly #definitions = new MemoryOutput(64)

  /** The node of one more key, or undefined where this shape is not to be remembered. */
  next(from: ShapeNode, name: string): ShapeNode | undefined {
    return from.lastName === name && from.last !== undefined ? from.last : this.#find(from, name)
  }

  #find(from: ShapeNode, name: string): ShapeNode | undefined {
    const { others } = from
    let next = others?.get(name)
    if (next === undefined) {
      next = this.#add(from, name)
      if (next === undefined) return undefined
    }
    from.lastName = name
    from.last = next
    return next
  }

  /** Counts a sight of the shape that ends here; gives the id of its record, or -1 while it has none. */
  see(node: ShapeNode): number {
    if (node.record !== -1) return node.record
    if (!node.seen) {
      node.seen = true
      return -1
    }
    return this.#define(node)
  }

  /** Between messages: where the trie is full, forgets what has become no record, to learn newer shapes. */
  settle(): void {
    if (!this.#full || this.#frozen) return
    this.#nodes = 1
    prune(this.root, () => this.#nodes++)
    this.#full = this.#nodes > maxNodes / 2
    this.#frozen = this.#full
  }

  /** The definitions since it was last asked. */
  take(): Uint8Array | undefined {
    return this.#definitions.at === 0 ? undefined : this.#definitions.take()
  }

  #add(from: ShapeNode, name: string): ShapeNode | undefined {
    if (this.#nodes >= maxNodes) {
      this.#full = true
      return undefined
    }
    if (this.#records >= maxRecords || from.depth >= maxRecordKeys || name.length > maxNameLength)
      return undefined
    // Names that begin with a digit are keys of a dictionary, not of a shape.
    const first = name.charCodeAt(0)
    if (first >= 0x30 && first <= 0x39) return undefined
    const node = new ShapeNode(name, from)
    from.others ??= new Map()
    from.others.set(name, node)
    this.#nodes++
    return node
  }

  #define(node: ShapeNode): number {
    if (this.#records >= maxRecords) return -1
    const names: string[] = []
    for (let at = node; at.parent !== undefined; at = at.parent) names.unshift(at.name)
    let nameBytes = 0
    for (const name of names) nameBytes += utf8Length(name)
    // A lone surrogate would make two names equal on the other side.
    const doubtful = names.some((name) => !name.isWellFormed())
    if (doubtful || this.#nameBytes + nameBytes > maxRecordNameBytes) return -1
    this.#nameBytes += nameBytes
    node.record = this.#records++
    writeVarint(this.#definitions, node.record)
    writeVarint(this.#definitions, names.length)
    for (const name of names) writeText(this.#definitions, name)
    return node.record
  }
}

/** Drops the children that lead to no record; tells whether the node itself does. */
function prune(node: ShapeNode, kept: () => void): boolean {
  for (const [name, child] of node.others ?? []) {
    if (prune(child, kept)) kept()
    else node.others?.delete(name)
  }
  if (node.others?.size === 0) node.others = undefined
  node.last = undefined
  node.lastName = ''
  node.seen = false
  return node.record !== -1 || node.others !== undefined
}
