/** A complex number. Any object with these two properties can be encoded as one. */
export class GobComplex {
  readonly real: number
  readonly imag: number

  constructor(real: number, imag: number) {
    this.real = real
    this.imag = imag
  }
}
