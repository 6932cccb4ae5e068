package main

import (
	"farcall.bench/peers/harness"
	"net"
	"net/rpc"
)

func serveNetRPC(listener net.Listener) {
	server := rpc.NewServer()
	if err := server.Register(harness.Bench{}); err != nil {
		harness.Fail(err)
	}
	server.Accept(listener)
}

func dialNetRPC(address string) (harness.Caller, error) { return rpc.Dial("tcp", address) }
