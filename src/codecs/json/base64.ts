import { RpcError } from '../../core/error.ts'

const chunk = 0x2000

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += chunk)
    parts.push(String.fromCharCode(...bytes.subarray(at, at + chunk)))
  return btoa(parts.join(''))
}

/** @throws RpcError `invalid_argument` for what is no base64. */
export function fromBase64(text: string): Uint8Array {
  let latin1: string
  try {
    latin1 = atob(text)
  } catch {
    throw new RpcError('invalid_argument', '$bytes is no base64')
  }
  const bytes = new Uint8Array(latin1.length)
  for (let i = 0; i < latin1.length; i++) bytes[i] = latin1.charCodeAt(i)
  return bytes
}
