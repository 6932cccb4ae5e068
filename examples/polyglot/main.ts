// One registry, a server and a client in each of three languages, all of them processes, and everyone calls everyone:
// `npm run polyglot`. The exit code is 0 only if every call was right.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { run, startServer } from './processes.ts'

const here = import.meta.dirname
const goProgram = join(here, '../../.cache/go/polyglot')
const node = (file: string) => [process.execPath, ...process.execArgv, join(here, file)]
const python = (file: string) => ['python3', join(here, file)]

/** How the programs of each language are started, what its server answers, and what its client says. */
const languages = {
  TypeScript: {
    server: node('typescript/server.ts'),
    answers: ['farcall', 'geerpc', 'lab-json'],
    client: node('typescript/client.ts'),
    says: ['farcall', 'geerpc', 'lab-json'],
  },
  Go: {
    server: [goProgram, 'server'],
    answers: ['geerpc'],
    client: [goProgram, 'client'],
    says: ['geerpc', 'lab-json'],
  },
  Python: {
    server: python('python/server.py'),
    answers: ['lab-json'],
    client: python('python/client.py'),
    says: ['geerpc', 'lab-json'],
  },
}
type Language = keyof typeof languages
const names = Object.keys(languages) as Language[]

/** A line that a client prints: what a server answered to it in a protocol. */
interface Answer {
  readonly protocol: string
  readonly server: string
  readonly add: unknown
  readonly hello: unknown
}

async function main(): Promise<number> {
  const trouble = prepare()
  if (trouble !== undefined) {
    console.error(trouble)
    return 2
  }
  console.log(`${styleText('bold', 'Polyglot')}  one registry, three languages, everyone calls everyone\n`)
  await using running = new AsyncDisposableStack()
  const begin = async (name: string, command: readonly string[]) => {
    const { address } = running.use(await startServer(command))
    console.log(`   ${name.padEnd(12)}${address}`)
    return address
  }
  const registry = await begin('registry', [...node('typescript/registry.ts'), '0'])
  const servers = new Map<Language, string>()
  for (const name of names) servers.set(name, await begin(name, [...languages[name].server, registry]))

  console.log(`\n${styleText('dim', row('CLIENT', 'SERVER', 'PROTOCOL', 'ADD(20, 22)', "HELLO('Ada')"))}`)
  let results = 0
  let wrong = 0
  for (const client of names) {
    const { client: command, says } = languages[client]
    const answers = (await run([...command, registry])).map((line) => JSON.parse(line) as Answer)
    for (const [server, address] of servers) {
      for (const protocol of says.filter((one) => languages[server].answers.includes(one))) {
        const got = answers.find((answer) => answer.server === address && answer.protocol === protocol)
        const isRight = got?.add === 42 && got.hello === `Hello Ada, this is ${server}`
        const shown = row(client, server, protocol, String(got?.add), String(got?.hello))
        console.log(isRight ? shown : styleText('red', `${shown}  WRONG`))
        results += 2
        if (!isRight) wrong++
      }
    }
  }
  console.log(
    wrong === 0
      ? `\n${styleText('green', 'All right.')} ${results} results were compared with what they should be.`
      : `\n${styleText('red', `${wrong} wrong.`)}`,
  )
  return wrong === 0 ? 0 : 1
}

/** Compiles what is in Go; says what is missing. */
function prepare(): string | undefined {
  if (spawnSync('python3', ['--version']).status !== 0)
    return 'python3 is not here: install Python 3.9 or newer'
  const built = spawnSync('go', ['build', '-o', goProgram, '.'], { cwd: join(here, 'go'), encoding: 'utf8' })
  if (built.error !== undefined) return 'go is not here: install Go 1.22 or newer'
  return built.status === 0 ? undefined : built.stderr
}

function row(...cells: readonly string[]): string {
  const widths = [12, 12, 10, 13, 0]
  return cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('')
}

process.exitCode = await main()
