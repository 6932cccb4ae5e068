/** The commands that have settings. */
export type CommandName = 'registry' | 'serve' | 'call' | 'list' | 'methods' | 'watch' | 'demo' | 'config'

/** What a setting holds, and so how it is read. */
export type Kind = 'text' | 'texts' | 'pairs' | 'number' | 'port' | 'level' | 'switch'

/** One thing that can be set by flag, environment variable or configuration file. */
export interface Setting {
  /** In the configuration file; where it belongs to one command, below that one's section: `serve.zone`. */
  readonly key: string
  /** As commander takes it. */
  readonly flags: string
  /** The same under other names, as the older systems have them. */
  readonly alias?: string
  readonly env: string
  readonly kind: Kind
  /** The default as it would be typed. */
  readonly fallback?: string
  readonly about: string
  readonly commands: readonly CommandName[]
  /** Not to be shown. */
  readonly secret?: true
}

const everywhere = ['registry', 'serve', 'call', 'list', 'methods', 'watch', 'demo'] as const
const asking = ['call', 'list', 'methods'] as const

/** Every setting there is. The order is that of the help and of `farcall config`. */
export const settings = [
  {
    key: 'registry',
    flags: '--registry <target>',
    env: 'FARCALL_REGISTRY',
    kind: 'texts',
    about: 'the registry, as registry://127.0.0.1:9999; serve takes several',
    commands: ['serve', 'call', 'list', 'methods', 'watch'],
  },
  {
    key: 'at',
    flags: '--at <target>',
    env: 'FARCALL_AT',
    kind: 'texts',
    about: 'a server, as tcp://127.0.0.1:8089; may be repeated',
    commands: asking,
  },
  {
    key: 'registryServer.listen',
    flags: '-l, --listen <host>',
    alias: '-i, --host <host>',
    env: 'FARCALL_LISTEN',
    kind: 'text',
    fallback: '0.0.0.0',
    about: 'the address to listen at; :: is IPv6 and IPv4',
    commands: ['registry'],
  },
  {
    key: 'registryServer.port',
    flags: '-p, --port <port>',
    env: 'FARCALL_PORT',
    kind: 'port',
    fallback: '9999',
    about: 'the port to listen at; 0 takes a free one',
    commands: ['registry'],
  },
  {
    key: 'registryServer.faces',
    flags: '--face <name>',
    env: 'FARCALL_FACES',
    kind: 'texts',
    about: 'which older registries it is too: json, header, protobuf; none; default: all; may be repeated',
    commands: ['registry'],
  },
  {
    key: 'serve.listen',
    flags: '-l, --listen <host>',
    alias: '-i, --host <host>',
    env: 'FARCALL_LISTEN',
    kind: 'text',
    fallback: '0.0.0.0',
    about: 'the address to listen at; :: is IPv6 and IPv4',
    commands: ['serve'],
  },
  {
    key: 'serve.port',
    flags: '-p, --port <port>',
    env: 'FARCALL_PORT',
    kind: 'port',
    fallback: '8089',
    about: 'the port to listen at; 0 takes a free one',
    commands: ['serve'],
  },
  {
    key: 'serve.protocols',
    flags: '--protocol <name>',
    env: 'FARCALL_PROTOCOLS',
    kind: 'texts',
    about: 'what is spoken, as farcall, http; default: everything; may be repeated',
    commands: ['serve'],
  },
  {
    key: 'serve.advertise',
    flags: '--advertise <address>',
    env: 'FARCALL_ADVERTISE',
    kind: 'texts',
    about: 'what others are told to dial: a host, host:port or whole target',
    commands: ['serve'],
  },
  {
    key: 'serve.id',
    flags: '--id <id>',
    env: 'FARCALL_ID',
    kind: 'text',
    about: 'its name in the registry; default: by chance',
    commands: ['serve'],
  },
  {
    key: 'serve.zone',
    flags: '--zone <zone>',
    env: 'FARCALL_ZONE',
    kind: 'text',
    about: 'where it stands: a data centre, a rack',
    commands: ['serve'],
  },
  {
    key: 'serve.weight',
    flags: '--weight <number>',
    env: 'FARCALL_WEIGHT',
    kind: 'number',
    fallback: '1',
    about: 'its share of the calls',
    commands: ['serve'],
  },
  {
    key: 'serve.adaptWeight',
    flags: '--adapt-weight',
    env: 'FARCALL_ADAPT_WEIGHT',
    kind: 'switch',
    about: 'weigh less the busier the process is',
    commands: ['serve'],
  },
  {
    key: 'serve.metadata',
    flags: '--metadata <key=value>',
    env: 'FARCALL_METADATA',
    kind: 'pairs',
    about: 'what clients can filter by; may be repeated',
    commands: ['serve'],
  },
  {
    key: 'serve.graceMs',
    flags: '--grace <ms>',
    env: 'FARCALL_GRACE_MS',
    kind: 'number',
    fallback: '30000',
    about: 'how long calls in flight may take to end when it stops',
    commands: ['serve'],
  },
  {
    key: 'token',
    flags: '--token <token>',
    env: 'FARCALL_TOKEN',
    kind: 'text',
    about: 'what callers must bring, and what calls bring; better by environment',
    commands: ['serve', 'call', 'list', 'methods'],
    secret: true,
  },
  {
    key: 'timeoutMs',
    flags: '--timeout <ms>',
    env: 'FARCALL_TIMEOUT_MS',
    kind: 'number',
    about: 'how long it may take; default: 10000 for a reply or the first item',
    commands: asking,
  },
  {
    key: 'logLevel',
    flags: '--log-level <level>',
    env: 'FARCALL_LOG_LEVEL',
    kind: 'level',
    about: 'trace, debug, info, warn, error or silent; default: info where it serves, else error',
    commands: everywhere,
  },
  {
    key: 'logFile',
    flags: '--log-file <file>',
    env: 'FARCALL_LOG_FILE',
    kind: 'text',
    about: 'log into this file too, as lines of JSON',
    commands: everywhere,
  },
  {
    key: 'redact',
    flags: '--redact <name>',
    env: 'FARCALL_REDACT',
    kind: 'texts',
    about: 'an argument or property that no log shows, beside password, token and the like',
    commands: ['serve', 'call'],
  },
] as const satisfies readonly Setting[]

/** The levels that `--log-level` takes. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** Those that a command knows. */
export function settingsOf(command: CommandName): readonly Setting[] {
  const all: readonly Setting[] = settings
  return all.filter(({ commands }) => commands.includes(command))
}

/** The name of a setting's value in the code: `listen` of `serve.listen`. */
export function nameOf(setting: Setting): string {
  return setting.key.slice(setting.key.indexOf('.') + 1)
}

/** The long flag: `--log-level`. */
export function longFlag(setting: Pick<Setting, 'flags'>): string {
  return /--[a-z-]+/.exec(setting.flags)?.[0] ?? setting.flags
}
