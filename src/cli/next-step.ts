import { isNotExecuted } from '../core/error.ts'
import type { RpcError } from '../node.ts'
import { needsName } from './older-registry.ts'

/** What was asked, and where: as it would be typed again. */
export interface Asked {
  /** `--at tcp://…` or `--registry registry://…`. */
  readonly where?: string
  /** `math` of `math.add`. */
  readonly service?: string
  /** What was typed as names of arguments, and is nearly one of the command's own flags: `--timeuot` → `--timeout`. */
  readonly misspelt?: readonly (readonly [typed: string, flag: string])[]
}

/** What somebody who reads an error can do next; undefined where there is no good advice. */
export function nextStep(error: RpcError, asked: Asked): string | undefined {
  const { where = '', service, misspelt = [] } = asked
  const ask = (command: string) => `farcall ${command}${where === '' ? '' : ` ${where}`}`
  switch (error.code) {
    case 'not_found':
      if (!isListed(where)) return undefined
      if (error.message.endsWith('has no instances')) return `start one: farcall serve module.ts ${where}`
      if (error.message.includes('has no instance of')) return `see who is there: ${ask('list')}`
      return service !== undefined && error.message.includes('has no method')
        ? `see its methods: ${ask(`methods ${service}`)}`
        : `see what is there: ${ask('methods')}`
    case 'invalid_argument': {
      const [wrong] = misspelt
      if (wrong !== undefined) return `did you mean the flag ${wrong[1]} rather than an argument ${wrong[0]}?`
      return service === undefined || !isListed(where)
        ? undefined
        : `see its parameters: ${ask(`methods ${service}`)}`
    }
    case 'unavailable':
      return nobody(error, asked)
    case 'deadline_exceeded':
      return isNotExecuted(error) && isListed(where)
        ? `see whether anybody is there: ${ask('list')}; or wait longer with --timeout 30000`
        : 'allow it more time with --timeout 30000'
    case 'unauthenticated':
    case 'permission_denied':
      return 'give the token: FARCALL_TOKEN=… farcall …, or --token'
    case 'resource_exhausted':
      return 'try again later, or with less at once'
    case 'internal':
      return error.message.includes('(id ') ? "the server's log has more under that id" : undefined
    default:
      return error.message.startsWith('gob: ') ? goTypes : undefined
  }
}

// What is typed says more than JSON does.
const goTypes =
  'to Go a whole number is an int, and 3.0 a float; an object is a struct, and a map is written as {"$map":[["key",1]]}'

// The first: more may be typed behind it.
function portOf(where: string): string | undefined {
  return /:(\d+)(?=[/ ]|$)/.exec(where)?.[1]
}

// Some of the older systems tell only of what is named: advice to look there would lead nowhere.
function isListed(where: string): boolean {
  return !needsName(where.replace(/^--registry /, ''))
}

function nobody(error: RpcError, { where = '', service }: Asked): string | undefined {
  if (where.startsWith('--registry')) {
    if (!error.message.startsWith('the registry cannot'))
      return isListed(where) ? `see who is there: farcall list ${where}` : undefined
    const port = portOf(where) ?? '9999'
    return `is it running? start one with: farcall registry -p ${port}`
  }
  if (!error.message.includes('nothing listens')) return undefined
  const what = service ?? 'module'
  return `is it running? start it with: farcall serve ${what}.ts -p ${portOf(where) ?? '8089'}`
}
