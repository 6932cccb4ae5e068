export async function runDemo(_o: { once: boolean }): Promise<number> {
  return 0
}
