/** Nobody reads what is printed any more: `… | head -1` has seen enough. */
export class ReaderLeft extends Error {}

let failed: Error | undefined
let listening = false

/**
 * Writes a line to stdout, and waits where the reader is slow.
 * @throws ReaderLeft when there is no reader any more.
 */
export async function printLine(line: string): Promise<void> {
  const { stdout } = process
  if (!listening) {
    listening = true
    stdout.on('error', (error: Error) => {
      failed = error
    })
  }
  await new Promise<void>((resolve, reject) => {
    if (failed !== undefined) return reject(new ReaderLeft())
    stdout.write(`${line}\n`, (error) => (error ? reject(new ReaderLeft()) : resolve()))
  })
}
