import { readNumber } from '../api/guards.ts'
import type { OlderTarget } from './target.ts'

/** How an older registry is used. A target may say otherwise: `…?pollMs=1000`. */
export interface OlderRegistryOptions {
  /** How often a server says that it lives, in ms, give or take a tenth. Default: as the documents of the registry. */
  readonly heartbeatMs?: number
  /** How often a client asks who is there, in ms, give or take a tenth. Default: as the documents of the registry. */
  readonly pollMs?: number
  /** How long a client keeps those that a suddenly emptied or shrunken list leaves out, in ms. */
  readonly doubtMs?: number
}

/** {@link OlderRegistryOptions}, complete and checked. */
export type Periods = Readonly<Record<keyof OlderRegistryOptions, number>>

export const periodNames = ['heartbeatMs', 'pollMs', 'doubtMs'] as const

/** Below, a registry is busy with nothing but us; a day and more is a mistake in the unit. */
const leastMs = 50
const mostMs = 86_400_000

/** @throws RpcError `invalid_argument` that names the option which is unknown or makes no sense. */
export function resolvePeriods(
  defaults: Periods,
  given: OlderRegistryOptions,
  target?: OlderTarget,
): Periods {
  const period = (name: keyof OlderRegistryOptions): number => {
    const said = target?.options.get(name)
    const value = said === undefined ? (given[name] ?? defaults[name]) : readDigits(said)
    const min = name === 'doubtMs' ? 0 : leastMs
    return readNumber(value, where(name, target), { min, max: mostMs, whole: false })
  }
  return Object.freeze({
    heartbeatMs: period('heartbeatMs'),
    pollMs: period('pollMs'),
    doubtMs: period('doubtMs'),
  })
}

/** An option for an error: with its target, where it stands in one. */
export function where(name: string, target: OlderTarget | undefined): string {
  return target?.options.has(name) === true ? `${target.text.slice(0, 200)}: ${name}` : name
}

// `Number('')` is 0, and `Number('1e3')` is what nobody means.
function readDigits(text: string): number | string {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
