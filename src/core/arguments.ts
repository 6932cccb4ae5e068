// What a call is made with.

/** The arguments of a call: a list, or by name, or (`message`) a single object that stands for all of them. */
export interface Arguments {
  readonly list: readonly unknown[]
  readonly named?: ReadonlyMap<string, unknown>
  readonly message?: boolean
  /**
   * The properties of the message are declared fields. So where one of them is called like the sole parameter, the
   * message is spread, and not given to that parameter as a whole.
   */
  readonly typed?: boolean
}

/** Arguments that are decoded when they are first looked at. */
export interface ArgumentsSource {
  /** By this it is told from arguments that are there. */
  readonly list?: undefined
  /** Asked at most once. @throws RpcError `invalid_argument` for what does not decode. */
  decode(): Arguments
}
