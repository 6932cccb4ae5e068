import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MemoryOutput } from '../../core/bytes/output.ts'
import { defaultLimits } from '../../core/limits.ts'
import { decodeMessage, encodeMessage, type MessageType, type ProtobufLimits, readProto } from './index.ts'

// What the tests of this folder share.

const peers = new URL('../../../tests/peers/python/', import.meta.url)

/** A `.proto` that the peers in Python have too. */
export const protoOfPeers = (name: string): string =>
  readFileSync(fileURLToPath(new URL(name, peers)), 'utf8')

export const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A message with these fields, in proto3 unless the text says otherwise. */
export async function messageOf(body: string, name = 'M'): Promise<MessageType> {
  const text = body.includes('message ') ? body : `message M { ${body} }`
  const { messages } = await readProto([/^(syntax|edition)/.test(text) ? text : `syntax = "proto3"; ${text}`])
  const found = messages.get(name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

export function encode(type: MessageType, value: unknown, limits: Partial<ProtobufLimits> = {}): Uint8Array {
  const output = new MemoryOutput(1)
  encodeMessage(type, value, output, { ...defaultLimits, ...limits })
  return output.take()
}

export function decode(
  type: MessageType,
  bytes: Uint8Array | string,
  limits: Partial<ProtobufLimits> = {},
): Record<string, unknown> {
  const raw = typeof bytes === 'string' ? bytesOf(bytes) : bytes
  return decodeMessage(type, raw, { ...defaultLimits, ...limits })
}
