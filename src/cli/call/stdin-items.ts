import { createInterface } from 'node:readline'
import { readArgument } from './read-argument.ts'

/** The items of a stream argument: one a line of stdin, each read like an argument. Empty lines are passed over. */
export async function* stdinItems(input: NodeJS.ReadStream = process.stdin): AsyncGenerator<unknown, void> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  try {
    for await (const line of lines) if (line.trim() !== '') yield readArgument(line)
  } finally {
    lines.close()
    // Else a terminal that nobody types at any more would keep the process alive.
    input.destroy()
  }
}
