import { availableParallelism } from 'node:os'
import { findFiles, root, sourceCondition, tool, tsc } from './checkout.ts'

/** One check of `npm test`. */
export interface Step {
  readonly name: string
  /** For the list of steps: what it makes sure of. */
  readonly about: string
  /** What it looks at; without any such file there is nothing to check, and that is said. Left out: always something. */
  readonly inputs?: readonly string[]
  /** Steps that must have passed before. */
  readonly needs?: readonly string[]
  /** Runs tests with Node's runner, whose counts go into the total. */
  readonly counts?: boolean
  /** The command for these input files. */
  command(files: readonly string[]): [program: string, args: string[]]
}

function script(name: string, args: readonly string[] = []): [string, string[]] {
  return [process.execPath, [sourceCondition, `scripts/${name}`, ...args]]
}

function nodeTest(files: readonly string[]): [string, string[]] {
  const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`
  const options = [sourceCondition, '--test', '--test-reporter=spec', '--test-timeout=60000', concurrency]
  return [process.execPath, [...options, ...files]]
}

/** The cheapest first. */
export const steps: readonly Step[] = [
  {
    name: 'format',
    about: 'formatting; npm run format repairs it',
    command: () => tool('@biomejs/biome', ['format', '--reporter=summary', '--max-diagnostics=none']),
  },
  {
    name: 'layers',
    about: 'who imports whom, cycles, length of files',
    inputs: ['src/**/*.ts'],
    command: () => script('check-layers.ts'),
  },
  {
    name: 'lint',
    about: 'lint with types; npm run lint repairs what it can',
    command: () => tool('oxlint', []),
  },
  {
    name: 'types',
    about: 'types of everything, type tests (*.test-d.ts) included',
    command: () => tsc(['--noEmit', '--pretty', 'false']),
  },
  { name: 'build', about: 'dist/ from src/', inputs: ['src/node.ts'], command: () => script('build.ts') },
  {
    name: 'types-budget',
    about: '1,000 methods and 1,000 typed calls compile in time',
    inputs: ['src/node.ts'],
    needs: ['build'],
    command: () => script('check-types-budget.ts'),
  },
  {
    name: 'package',
    about: 'the packed package: contents, exports, a bundled client, program',
    inputs: ['src/node.ts'],
    needs: ['build'],
    command: () => script('check-package.ts'),
  },
  {
    name: 'unit',
    about: 'tests beside the source',
    inputs: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
    counts: true,
    command: nodeTest,
  },
  {
    name: 'e2e',
    about: 'end to end, in real processes',
    inputs: ['tests/**/*.test.ts'],
    counts: true,
    command: nodeTest,
  },
  {
    name: 'docs',
    about: 'code blocks of the docs, compiled and run',
    inputs: ['README.md', 'docs/**/*.md', 'src/**/SPEC.md'],
    command: (files) => script('check-docs.ts', files),
  },
]

/** The files that a step looks at, of those whose path starts with one of `paths` (all, if there are none). */
export function inputsOf(step: Step, paths: readonly string[]): readonly string[] {
  const files = findFiles(root, step.inputs ?? [])
  return paths.length === 0 ? files : files.filter((file) => paths.some((path) => file.startsWith(path)))
}

/** Splits `npm test -- unit src/core` into steps and paths; steps that others need come along. */
export function select(words: readonly string[]): { selected: readonly Step[]; paths: readonly string[] } {
  const names = words.filter((word) => steps.some(({ name }) => name === word))
  const paths = words.filter((word) => !names.includes(word)).map((path) => path.replace(/^\.\//, ''))
  if (names.length === 0 && paths.length === 0) return { selected: steps, paths }
  // A path alone means the tests and pages there.
  const wanted = names.length > 0 ? names : ['unit', 'e2e', 'docs']
  const needed = new Set(steps.flatMap(({ name, needs }) => (wanted.includes(name) ? (needs ?? []) : [])))
  return { selected: steps.filter(({ name }) => wanted.includes(name) || needed.has(name)), paths }
}
