export { createMsgpackCodec, type MsgpackOptions, msgpackCodec } from './msgpack.ts'
