// Two kinds of charts as SVG, with logarithmic axes: the peers are three powers of ten apart.

export interface Bar {
  readonly label: string
  readonly value: number
  /** What is written beside it. */
  readonly shown: string
  readonly isOurs: boolean
}

export interface Line {
  readonly label: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const font = 'font-family="system-ui, sans-serif" font-size="12"'
const colours = ['#0b7a75', '#d1495b', '#4c6ef5', '#e8871e', '#7b2d8b', '#555555']
const text = '#57606a'

/** Horizontal bars, one per peer. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const [left, right, rowHeight, top] = [130, 90, 22, 34]
  const width = 720
  const height = top + bars.length * rowHeight + 12
  const most = Math.max(...bars.map(({ value }) => value))
  const least = Math.min(...bars.map(({ value }) => value)) / 3
  const scale = (value: number) =>
    ((Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (width - left - right)
  const rows = bars.map(({ label, value, shown, isOurs }, i) => {
    const y = top + i * rowHeight
    const length = scale(value).toFixed(1)
    return [
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end" fill="${text}"${isOurs ? ' font-weight="bold"' : ''}>${escape(label)}</text>`,
      `<rect x="${left}" y="${y + 2}" width="${length}" height="${rowHeight - 6}" rx="2" fill="${isOurs ? colours[0] : '#9aa5b1'}"/>`,
      `<text x="${(left + Number(length) + 6).toFixed(1)}" y="${y + 14}" fill="${text}">${escape(shown)}</text>`,
    ].join('\n')
  })
  return svg(width, height, title, rows)
}

/** Lines over two logarithmic axes. */
export function lineChart(title: string, axes: { x: string; y: string }, lines: readonly Line[]): string {
  const [left, right, top, bottom] = [64, 120, 34, 44]
  const [width, height] = [720, 360]
  const points = lines.flatMap((line) => line.points)
  const x = axis(
    points.map(([at]) => at),
    left,
    width - right,
  )
  const y = axis(
    points.map(([, at]) => at),
    height - bottom,
    top,
  )
  const grid = [
    ...y.ticks.map(
      (at) =>
        `<line x1="${left}" x2="${width - right}" y1="${y.at(at)}" y2="${y.at(at)}" stroke="#d0d7de"/><text x="${left - 6}" y="${y.at(at) + 4}" text-anchor="end" fill="${text}">${short(at)}</text>`,
    ),
    ...[...new Set(points.map(([at]) => at))].map(
      (at) =>
        `<text x="${x.at(at)}" y="${height - bottom + 18}" text-anchor="middle" fill="${text}">${short(at)}</text>`,
    ),
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle" fill="${text}">${escape(axes.x)}</text>`,
    `<text x="14" y="${height / 2}" text-anchor="middle" fill="${text}" transform="rotate(-90 14 ${height / 2})">${escape(axes.y)}</text>`,
  ]
  const drawn = lines.map(({ label, points: own }, i) => {
    const colour = colours[i % colours.length]
    const path = own.map(([px, py]) => `${x.at(px)},${y.at(py)}`).join(' ')
    const dots = own.map(([px, py]) => `<circle cx="${x.at(px)}" cy="${y.at(py)}" r="3" fill="${colour}"/>`)
    const [lastX = 0, lastY = 1] = own.at(-1) ?? []
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...dots,
      `<text x="${x.at(lastX) + 8}" y="${y.at(lastY) + 4}" fill="${colour}">${escape(label)}</text>`,
    ].join('\n')
  })
  return svg(width, height, title, [...grid, ...drawn])
}

function axis(values: readonly number[], from: number, to: number) {
  const [low, high] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))]
  const span = high - low || 1
  const at = (value: number) =>
    Math.round((from + ((Math.log10(value) - low) / span) * (to - from)) * 10) / 10
  const ticks: number[] = []
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const step of span > 2 ? [1] : [1, 2, 5]) {
      const value = step * 10 ** power
      if (Math.log10(value) >= low - 0.01 && Math.log10(value) <= high + 0.01) ticks.push(value)
    }
  }
  return { at, ticks }
}

function short(value: number): string {
  if (value >= 1024 && value % 1024 === 0) return `${value / 1024}Ki`
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1e3 ? `${value / 1e3}k` : String(Number(value.toPrecision(3)))
}

function svg(width: number, height: number, title: string, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ${font}>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="12" y="20" font-size="14" font-weight="bold" fill="#1f2328">${escape(title)}</text>
${content.join('\n')}
</svg>
`
}

function escape(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
