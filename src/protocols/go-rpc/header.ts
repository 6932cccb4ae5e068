/** What stands before each body: whose call it is, and on the way back what went wrong. */
export interface GoHeader {
  /** `Service.Method`. */
  readonly serviceMethod: string
  /** A uint64; a bigint beyond 2^53. */
  readonly seq: number | bigint
  /** Empty where nothing went wrong. */
  readonly error: string
}
