/** The messages of the lab, with its one service: what the protocol goes by if nothing else is given. */
export const labProto = `
syntax = "proto3";

package rpc;

message Request {
  string type = 1;
  string service_name = 2;
  string time = 3;
  Server server = 4;
  AddRequest add = 5;
}

message Response {
  string type = 1;
  string content = 2;
  string time = 3;
  repeated Server servers = 4;
  AddResponse add = 5;
}

message Server {
  string host = 1;
  int32 port = 2;
}

message AddRequest {
  int32 a = 1;
  int32 b = 2;
}

message AddResponse {
  int32 sum = 1;
}

service Calculator {
  rpc add(AddRequest) returns (AddResponse);
}
`
