/**
 * Does something with what has to be closed, and closes it, whatever comes. In the place of `await using`, which the
 * oldest Node that the package runs on does not know.
 */
export async function whileOpen<T extends AsyncDisposable, R>(
  resource: T,
  work: (resource: T) => Promise<R>,
): Promise<R> {
  try {
    return await work(resource)
  } finally {
    await resource[Symbol.asyncDispose]()
  }
}
