/** Where log lines go, beside a file. `process.stderr` is one. */
export interface LogStream {
  write(line: string): unknown
  readonly isTTY?: boolean
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}
