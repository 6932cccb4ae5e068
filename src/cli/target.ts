import type { ResolvedSettings } from './settings/resolve.ts'
import { textsOf } from './settings/typed.ts'
import { UsageError } from './usage-error.ts'

/** Where a command asks: at servers, or through a registry. */
export interface Target {
  readonly kind: 'at' | 'registry'
  readonly targets: readonly string[]
  /** As it would be typed again: `--at tcp://127.0.0.1:8089`. */
  readonly typed: string
}

/**
 * Where to ask. If both are set, the one that was said more directly counts: a flag before the environment.
 * @throws UsageError where neither is set, or both alike.
 */
export function targetOf(settings: ResolvedSettings): Target {
  const at = settings.get('at')
  const registry = settings.get('registry')
  const hasAt = textsOf(settings, 'at').length > 0
  const hasRegistry = textsOf(settings, 'registry').length > 0
  if (hasAt && hasRegistry && at?.rank === registry?.rank) {
    throw new UsageError(
      '--at and --registry are both given, and only one can be meant',
      '--at is for one server, --registry finds servers by their services',
    )
  }
  const useAt = hasAt && (!hasRegistry || (at?.rank ?? 0) > (registry?.rank ?? 0))
  if (useAt) {
    const targets = textsOf(settings, 'at').map((text) => withScheme(text, 'tcp'))
    return { kind: 'at', targets, typed: targets.map((target) => `--at ${target}`).join(' ') }
  }
  if (hasRegistry) return registryTarget(settings)
  throw new UsageError(
    at === undefined ? 'which registry?' : 'which server? neither --at nor --registry is given',
    at === undefined
      ? 'give --registry registry://127.0.0.1:9999, or set FARCALL_REGISTRY'
      : 'give --at tcp://127.0.0.1:8089, or --registry registry://127.0.0.1:9999, or set FARCALL_REGISTRY',
  )
}

/** The registry to ask; several addresses are those of one. */
function registryTarget(settings: ResolvedSettings): Target {
  const targets = registriesOf(settings)
  if (targets.length > 1) {
    throw new UsageError(
      'only one registry can be asked',
      'several addresses of one are written as registry://host:port,host:port',
    )
  }
  return { kind: 'registry', targets, typed: `--registry ${targets.join()}` }
}

/** The registries that are set, each as a whole target. */
export function registriesOf(settings: ResolvedSettings): readonly string[] {
  return textsOf(settings, 'registry').map((text) => withScheme(text, 'registry'))
}

// `127.0.0.1:9999` is what people type, and it is clear what is meant.
function withScheme(text: string, scheme: string): string {
  return /^[a-z][a-z0-9+.-]*:\D/i.test(text) ? text : `${scheme}://${text}`
}
