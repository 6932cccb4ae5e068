/**
 * Imports a package of bench/node_modules. Its own types are not asked for: the bench is type-checked where none of
 * them is installed. `T` says what is used of it.
 */
export async function use<T>(name: string): Promise<T> {
  return (await import(name)) as T
}
