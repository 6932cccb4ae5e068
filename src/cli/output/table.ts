import { stripVTControlCharacters } from 'node:util'
import { paint } from './style.ts'

/**
 * Rows below aligned headings. Numbers stand to the right; on a narrow terminal the last column is cut.
 * @param width The columns of the terminal. Default: as wide as it gets.
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  const right = headings.map(
    (_, i) =>
      rows.length > 0 && rows.every((row) => /^[\d.,]* ?(ms|s|%|\/s)?$|^[–-]$/.test(plain(row[i] ?? ''))),
  )
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => plain(row[i] ?? '').length)),
  )
  const line = (cells: readonly string[], tone?: 'dim') => {
    const padded = headings.map((_, i) => {
      const cell = cells[i] ?? ''
      const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - plain(cell).length))
      return right[i] === true ? space + cell : cell + space
    })
    const text = cut(padded.join('  ').trimEnd(), width)
    return tone === undefined ? text : paint(tone, text)
  }
  return [line(headings, 'dim'), ...rows.map((row) => line(row))].join('\n')
}

/** Cuts a line to a width; colours are dropped from one that is too long. */
export function cut(text: string, width: number): string {
  const bare = plain(text)
  return bare.length <= width ? text : `${bare.slice(0, Math.max(1, width - 1))}…`
}

function plain(text: string): string {
  return stripVTControlCharacters(text)
}

/** The columns of the terminal; without one, as many as there are characters. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY
}
