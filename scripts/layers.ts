// Which folder of src/ may import which: the table of the design, as data. `check-layers.ts` enforces it.

/** A group of files that share what they may import. */
export interface Room {
  readonly name: string
  /** Which files it holds, by their path below src/. The first room of the table that matches a file has it. */
  readonly files: RegExp
  /** The rooms it may import; itself is understood (each folder apart where `apart` is set). */
  readonly may: readonly string[]
  /** Its subfolders do not know each other: the first group of `files` names the subfolder. */
  readonly apart?: boolean
  /** From outside of it these files are imported, and no others. Left out: every file. */
  readonly face?: RegExp
  /** What to do instead, for the error. */
  readonly hint: string
}

const indexOnly = /(^|\/)index\.ts$/
const everything = [
  'core',
  'seams',
  'codecs',
  'json-head',
  'go-rpc',
  'protocols',
  'protocol-face',
  'transports',
  'balancers',
  'layers',
  'discovery',
  'logging',
  'client',
  'server',
  'registry',
  'console',
  'index',
]

export const rooms: readonly Room[] = [
  {
    name: 'tests',
    files: /\.(test|test-d|suite)\.ts$|(^|\/)fixtures\//,
    may: [...everything, 'testing', 'node', 'cli'],
    hint: 'only tests and src/testing import tests and shared suites',
  },
  {
    name: 'core',
    files: /^core\//,
    may: [],
    hint: 'core knows nothing of the rest: hand it in as an argument, or move what is needed into core',
  },
  {
    name: 'protocol-face',
    files: /^protocols\/index\.ts$/,
    may: ['core', 'seams', 'codecs', 'json-head'],
    hint: 'the face for protocol authors shows the seams; a protocol is imported from its own folder',
  },
  {
    name: 'seams',
    files:
      /^protocols\/[^/]+\.ts$|^transports\/(transport|unwrap)\.ts$|^balancers\/(balancer|load)\.ts$|^discovery\/(resolver|registrar|source)\.ts$|^discovery\/api\//,
    may: ['core'],
    hint: 'a seam states a contract in terms of core and the other seams; an implementation belongs beside it',
  },
  {
    name: 'codecs',
    files: /^codecs\//,
    may: ['core'],
    face: /^codecs\/[^/]+\.ts$|\/index\.ts$/,
    hint: 'a codec knows values and bytes only, all from core',
  },
  {
    name: 'json-head',
    files: /^protocols\/json-head\//,
    may: ['core', 'seams'],
    hint: 'what the JSON dialects share looks at bytes and values; what they mean is for the protocols to say',
  },
  {
    name: 'go-rpc',
    files: /^protocols\/go-rpc\//,
    may: ['core', 'codecs', 'seams', 'json-head'],
    hint: 'what the two protocols of Go have in common: headers and bodies in turn, and the CONNECT before them',
  },
  {
    name: 'protocols',
    files: /^protocols\/([^/]+)\//,
    may: ['core', 'codecs', 'seams', 'json-head', 'go-rpc'],
    apart: true,
    face: indexOnly,
    hint: 'a protocol turns bytes into calls and back; what several of them share belongs to core or json-head',
  },
  {
    name: 'transports',
    files: /^transports\//,
    may: ['core', 'seams'],
    hint: 'a transport carries bytes and knows nothing of what they mean',
  },
  {
    name: 'balancers',
    files: /^balancers\//,
    may: ['core', 'seams'],
    hint: 'a balancer sees candidates (balancer.ts) and the call, nothing else',
  },
  {
    name: 'layers',
    files: /^layers\//,
    may: ['core'],
    hint: 'a layer sees a call and the next handler (core); hand in what else it needs',
  },
  {
    name: 'discovery',
    files: /^discovery\//,
    may: ['core', 'seams'],
    hint: 'a resolver reaches a registry through the handler that node.ts hands to it',
  },
  {
    name: 'logging',
    files: /^logging\//,
    may: ['core'],
    hint: 'logging is told what happened in terms of core',
  },
  {
    name: 'client',
    files: /^client\//,
    may: ['core', 'seams'],
    face: indexOnly,
    hint: 'the client uses seams; node.ts hands the concrete protocols, transports, balancers and layers to it',
  },
  {
    name: 'server',
    files: /^server\//,
    may: ['core', 'seams'],
    // What only Node has of it is not in the index, which is for every platform.
    face: /(^|\/)index\.ts$|\.node\.ts$/,
    hint: 'the server uses seams; node.ts hands the concrete protocols, transports and layers to it',
  },
  {
    name: 'registry',
    files: /^registry\//,
    // The JSON of older peers is read as it is for calls.
    may: ['core', 'seams', 'json-head', 'server'],
    // What only Node has of it is not in the index, which is for every platform.
    face: /(^|\/)index\.ts$|\.node\.ts$/,
    hint: 'the registry is a service on a server: it uses core, the seams and server/index.ts, never the client',
  },
  {
    name: 'console',
    files: /^console\//,
    may: ['core', 'seams', 'server'],
    face: indexOnly,
    hint: 'the console uses core, the seams and server/index.ts, never the client',
  },
  {
    name: 'testing',
    files: /^testing\//,
    may: [...everything, 'tests'],
    hint: 'testing may use anything but cli and node.ts; only tests and testing import testing',
  },
  {
    name: 'cli',
    files: /^cli\//,
    may: [...everything, 'node'],
    hint: 'nothing imports the command line; what it shares belongs to the room that it is about',
  },
  {
    name: 'node',
    files: /^[^/]+\.node\.ts$|^node\.ts$/,
    may: everything,
    hint: 'node.ts puts the rooms together; only cli imports it',
  },
  {
    name: 'index',
    files: /^[^/]+\.ts$/,
    may: everything.filter((name) => name !== 'registry' && name !== 'console'),
    hint: 'index.ts is the public face, for every platform',
  },
]

/** Where Node may be known: `node:` modules, its globals, and files that use them. Elsewhere code runs anywhere. */
export const nodeOnly = /\.node\.ts$|^node\.ts$|^(cli|console)\/|\.(test|test-d|suite)\.ts$/

/** Names that bind code to a platform or take time and chance from the machine, and the files that may say them. */
export const ambient: readonly { names: readonly string[]; allowed: RegExp; hint: string }[] = [
  {
    names: ['Buffer', 'process', '__dirname', '__filename', 'require'],
    allowed: nodeOnly,
    hint: 'use Uint8Array and #platform, or name the file *.node.ts',
  },
  {
    names: ['setTimeout', 'setInterval', 'setImmediate', 'performance.now'],
    allowed:
      /^core\/(platform\/|(system-)?clock\.ts)|^testing\/virtual-clock\.ts$|\.node\.ts$|^(cli|console)\/|\.(test|test-d|suite)\.ts$/,
    hint: 'ask the Clock, so that a test can hold the time',
  },
  {
    names: ['Math.random'],
    allowed: /^core\/random\.ts$|\.(test|test-d|suite)\.ts$/,
    hint: 'ask Random, so that a test can repeat the chance',
  },
]

/** No file of src/ is longer, tests aside: two ideas that cannot be separated grow there. */
export const maxLines = 400
