/** The answers to a batch, which leave together once the last of them is there. */
export class Batch {
  readonly #maxLength: number
  readonly #tooLong: () => string
  readonly #send: (text: string) => void
  #answers: string[] = []
  #length = 0
  /** Answers that are to come; one more until all have been announced. */
  #waiting = 1

  /** `tooLong` writes what is answered if the answers together are longer than `maxLength`. */
  constructor(maxLength: number, tooLong: () => string, send: (text: string) => void) {
    this.#maxLength = maxLength
    this.#tooLong = tooLong
    this.#send = send
  }

  /** Announces one answer. Exactly one of the two is called, once. */
  expect(): { send(text: string): void; none(): void } {
    this.#waiting++
    return {
      send: (text) => {
        this.#add(text)
        this.#settle()
      },
      none: () => this.#settle(),
    }
  }

  /** All have been announced. Returns whether there will be an answer. */
  close(): boolean {
    const some = this.#length > 0 || this.#waiting > 1
    this.#settle()
    return some
  }

  #add(text: string): void {
    this.#length += text.length
    if (this.#length <= this.#maxLength) this.#answers.push(text)
    else this.#answers = []
  }

  #settle(): void {
    this.#waiting--
    if (this.#waiting > 0 || this.#length === 0) return
    this.#send(this.#length > this.#maxLength ? this.#tooLong() : `[${this.#answers.join(',')}]`)
  }
}
