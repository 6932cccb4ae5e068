/** What the user typed, or wrote into a file, makes no sense. The command ends with code 2. */
export class UsageError extends Error {
  /** What to do about it. */
  readonly next: string | undefined

  constructor(message: string, next?: string) {
    super(message)
    this.name = 'UsageError'
    this.next = next
  }
}
