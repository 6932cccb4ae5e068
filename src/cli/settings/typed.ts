import type { LogLevel } from '../../node.ts'
import type { ResolvedSettings } from './resolve.ts'

/** The value of a text, or undefined. */
export function textOf(settings: ResolvedSettings, name: string): string | undefined {
  const value = settings.get(name)?.value
  return typeof value === 'string' ? value : undefined
}

/** The value of a number, or undefined. */
export function numberOf(settings: ResolvedSettings, name: string): number | undefined {
  const value = settings.get(name)?.value
  return typeof value === 'number' ? value : undefined
}

/** Whether a switch is on. */
export function isOn(settings: ResolvedSettings, name: string): boolean {
  return settings.get(name)?.value === true
}

/** The values of a list; empty where nothing is set. */
export function textsOf(settings: ResolvedSettings, name: string): readonly string[] {
  const value = settings.get(name)?.value
  return Array.isArray(value) ? (value as readonly string[]) : []
}

/** The pairs of a map; empty where nothing is set. */
export function pairsOf(settings: ResolvedSettings, name: string): Readonly<Record<string, string>> {
  const value = settings.get(name)?.value
  return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, string>) : {}
}

/** The level to log at, or undefined. */
export function levelOf(settings: ResolvedSettings): LogLevel | 'silent' | undefined {
  return textOf(settings, 'logLevel') as LogLevel | 'silent' | undefined
}
