// `npm start`: the demo of the package, from the checkout. Its services are ./services.ts; `--once` makes it end by itself.
import { runProgram } from '../../src/cli/program.ts'

await runProgram(['demo', ...process.argv.slice(2)])
