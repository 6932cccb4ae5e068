import type { MethodDescription, ServiceDescription } from '../node.ts'
import { showValue } from './output/value.ts'

/** The method by which a server of the older Python system lists what it has. */
export const listMethod = 'all_your_methods'

/**
 * Its answer as descriptions. Its form was left open, so whatever comes is shown: names with their parameters, as a list
 * or by name, and else the answer itself. The service has no name, for those systems have none.
 */
export function readAllYourMethods(answer: unknown): ServiceDescription {
  const entries =
    answer instanceof Map
      ? [...answer]
      : typeof answer === 'object' && answer !== null && !Array.isArray(answer)
        ? Object.entries(answer)
        : undefined
  const signatures =
    entries?.map(([name, parameters]) => signatureOf(String(name), parameters)) ??
    (Array.isArray(answer) ? answer.map(signatureOfItem) : textOf(answer).split('\n'))
  return { name: '', methods: signatures.filter((one) => one.trim() !== '').map(describe) }
}

function signatureOfItem(item: unknown): string {
  if (typeof item === 'string') return item
  // [name, parameters]
  if (Array.isArray(item) && typeof item[0] === 'string' && item.length === 2)
    return signatureOf(item[0], item[1])
  if (typeof item === 'object' && item !== null) {
    const fields = item as Readonly<Record<string, unknown>>
    const name = ['name', 'method_name', 'method']
      .map((key) => fields[key])
      .find((one) => typeof one === 'string')
    const parameters = ['parameters', 'params', 'args', 'signature']
      .map((key) => fields[key])
      .find((one) => one !== undefined)
    if (typeof name === 'string') return signatureOf(name, parameters)
  }
  return textOf(item)
}

/** `add` and `(a, b)`, `add(a, b)`, `a, b` or `['a', 'b']` are all `add(a, b)`. */
function signatureOf(name: string, parameters: unknown): string {
  if (Array.isArray(parameters)) return `${name}(${parameters.map(textOf).join(', ')})`
  if (parameters === undefined || parameters === null) return name
  const text = textOf(parameters).trim()
  if (text.startsWith(`${name}(`)) return text
  return text.startsWith('(') ? `${name}${text}` : `${name}(${text})`
}

function describe(signature: string): MethodDescription {
  const [, name = signature, inside] = /^\s*([^\s(]+)\s*\(([^()]*)\)\s*$/.exec(signature) ?? []
  const params = inside === undefined ? undefined : paramsOf(inside)
  return {
    name,
    signature: signature.trim(),
    ...(params !== undefined && { params }),
    idempotent: false,
    input: 'values',
    output: 'value',
  }
}

// Only where every one has a plain name: `*args` and the like are given by position.
function paramsOf(inside: string): readonly string[] | undefined {
  const names = inside
    .split(',')
    .map((one) => one.replace(/[=:].*$/s, '').trim())
    .filter((one) => one !== '')
  return names.every((one) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(one)) ? names : undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : showValue(value)
}
