import assert from 'node:assert/strict'
import { it } from 'node:test'
import { gob } from './index.ts'
import { showType } from './show-type.ts'

const Point = gob.struct('Point', { x: gob.field('X', gob.int), y: gob.field('Y', gob.int) })
interface Node {
  next?: Node | null
}
const Node: gob.GobType<Node> = gob.struct('Node', {
  next: gob.field('Next', gob.pointer(gob.lazy(() => Node))),
})
const endless: gob.GobType = gob.slice(gob.lazy(() => endless))

const rows: readonly (readonly [gob.GobType, string])[] = [
  [gob.int, 'int'],
  [gob.uint64, 'uint64'],
  [gob.float, 'float64'],
  [gob.complex, 'complex128'],
  [gob.bytes, '[]byte'],
  [gob.any, 'any'],
  [gob.time, 'Time'],
  [gob.slice(gob.string), '[]string'],
  [gob.array(3, gob.bool), '[3]bool'],
  [gob.map(gob.string, gob.slice(gob.int)), 'map[string][]int'],
  [gob.pointer(gob.int), '*int'],
  [Point, 'Point{X int, Y int}'],
  [gob.pointer(Point), '*Point{X int, Y int}'],
  [gob.slice(Point), '[]Point'],
  [gob.struct('Line', { A: Point, B: Point }), 'Line{A Point, B Point}'],
  [
    gob.struct('', { P: gob.struct('', { Q: gob.struct('', { R: gob.int }) }) }),
    'struct{P struct{Q struct{…}}}',
  ],
  [gob.struct('', {}), 'struct{}'],
  [Node, 'Node{Next *Node}'],
  [endless, '[][]…'],
]

for (const [type, shown] of rows) it(`shows ${shown}`, () => assert.equal(showType(type), shown))
