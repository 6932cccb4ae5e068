import { nodeCommand, type Running, startProcess } from '../harness/processes.ts'

// The scripts of this folder are both their measuring side and, with `serve` as their argument, their server.

/** Whether this process is to be the server. */
export function isChild(): boolean {
  return process.argv[2] === 'serve'
}

/** Says that the server is ready, and ends this process with its parent. */
export function tellParent(line: object): void {
  console.log(JSON.stringify({ ...line, pid: process.pid }))
  process.stdin.on('end', () => process.exit(0))
  process.stdin.resume()
}

/** Starts the server of a script. */
export function startOwnServer(file: string): Promise<Running<{ address: string; pid: number }>> {
  return startProcess(nodeCommand(file, ['serve']))
}
