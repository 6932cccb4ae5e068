export {
  createLabProtobufProtocol,
  type LabProtobufOptions,
  type LabProtobufProtocol,
  labProtobufProtocol,
} from './lab-protobuf.ts'
