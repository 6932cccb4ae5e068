import { RpcError } from '../../core/error.ts'

/** The bytes of one answer, at most: some 20,000 instances as the older registries write them. */
export const maxBodyBytes: number = 8 * 1024 * 1024

/** @throws RpcError `resource_exhausted` for one that is longer; its rest is not read. */
export async function readBody(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > maxBodyBytes) {
      reader.cancel().catch(() => {})
      const message = `the answer is longer than ${maxBodyBytes} bytes`
      throw new RpcError('resource_exhausted', message)
    }
    text += decoder.decode(value, { stream: true })
  }
}
