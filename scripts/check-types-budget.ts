import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, root, tsc } from './checkout.ts'

// Types that are pleasant for ten methods can take minutes for a thousand. This compiles a generated project with
// 10 services of 100 methods and as many typed calls, and fails above a budget.

/** Seconds that tsc may take to check it, on two cores that do nothing else. */
const budgetSeconds = 1.5
/** A busy machine is no fault of the types: the check fails on time only beyond this. */
const failSeconds = 2 * budgetSeconds
/** What does not depend on the machine: how many types tsc makes of it. */
const budgetInstantiations = 120_000
const runs = 3
const services = 10
const methodsPerService = 100

const folder = join(cacheDir, 'types-budget')

interface Method {
  readonly source: (name: string) => string
  readonly call: (client: string, name: string) => string
}

// Every kind of method, with parameters of mixed types.
const kinds: readonly Method[] = [
  {
    source: (name) => `${name}: (a: number, b: number, c = 10) => a + b + c`,
    call: (client, name) => `const x: number = await ${client}.${name}(1, 2)`,
  },
  {
    source: (name) =>
      `${name}: async (text: string, options?: { upper?: boolean; tags: string[] }) => ({ text, options })`,
    call: (client, name) => `const x: { text: string } = await ${client}.${name}('a', { tags: [] })`,
  },
  {
    source: (name) => `async *${name}(upTo: number) { for (let i = 0; i < upTo; i++) yield { i } }`,
    call: (client, name) => `for await (const x of ${client}.${name}(3)) x.i satisfies number`,
  },
  {
    source: (name) =>
      `async ${name}(items: AsyncIterable<number>) { let t = 0; for await (const n of items) t += n; return t }`,
    call: (client, name) => `const x: number = await ${client}.${name}(numbers())`,
  },
  {
    source: (name) => `${name}: (id: bigint, at: Date, map: Map<string, Set<number>>) => ({ id, at, map })`,
    call: (client, name) =>
      `const x: { id: bigint; at: Date } = await ${client}.${name}(1n, new Date(), new Map())`,
  },
]

function kindOf(method: number): Method {
  const kind = kinds[method % kinds.length]
  if (kind === undefined) throw new Error('there is no kind of method')
  return kind
}

function writeProject(): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const methods = Array.from({ length: methodsPerService }, (_, i) => i)
  for (let s = 0; s < services; s++) {
    const defined = methods.map((i) => `  ${kindOf(i).source(`m${i}`)},`)
    const service = [
      "import { service } from 'farcall'",
      `export const s${s} = service('s${s}', {`,
      ...defined,
      '})',
      '',
    ]
    writeFileSync(join(folder, `service${s}.ts`), service.join('\n'))
    const called = methods.map(
      (i) => `export async function c${i}() { ${kindOf(i).call('client', `m${i}`)}; return x }`,
    )
    const calls = [
      "import type { Client } from 'farcall'",
      `import type { s${s} } from './service${s}.ts'`,
      `declare const client: Client<typeof s${s}>`,
      'declare function numbers(): AsyncIterable<number>',
      ...called.map((line) => (line.includes('for await') ? line.replace('; return x', '') : line)),
      '// @ts-expect-error: a wrong argument is an error, so these types are not any',
      "export const wrong = () => client.m0('1', 2)",
      '',
    ]
    writeFileSync(join(folder, `calls${s}.ts`), calls.join('\n'))
  }
  // As a user has it: against the declarations that are published, not against the sources.
  const compilerOptions = { customConditions: [] }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files: [] as string[] }
  for (let s = 0; s < services; s++) config.files.push(`service${s}.ts`, `calls${s}.ts`)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
}

interface Measured {
  readonly check: number
  readonly memory: string
  readonly instantiations: string
}

function measure(): Measured {
  const [program, args] = tsc(['-p', folder, '--noEmit', '--extendedDiagnostics', '--pretty', 'false'])
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  const value = (name: string) => new RegExp(`^${name}:\\s+(\\S+)$`, 'm').exec(stdout)?.[1]
  const check = value('Check time')
  if (status !== 0 || check === undefined)
    throw new Error(`the generated project does not compile\n${stdout}${stderr}`)
  return {
    check: Number.parseFloat(check),
    memory: value('Memory used') ?? '?',
    instantiations: value('Instantiations') ?? '?',
  }
}

writeProject()
const measured = Array.from({ length: runs }, measure)
const best = measured.reduce((a, b) => (a.check <= b.check ? a : b))
const total = services * methodsPerService
const { check, memory, instantiations } = best
const made = Number(instantiations)
if (check > failSeconds || !(made <= budgetInstantiations)) {
  console.error(
    `${total} methods: ${check} s and ${instantiations} instantiations; the budget is ${budgetSeconds} s and ${budgetInstantiations}`,
  )
  process.exitCode = 1
}
console.log(
  `${total} methods and calls: ${check} s of ${budgetSeconds} s, ${memory}, ${instantiations} instantiations`,
)
