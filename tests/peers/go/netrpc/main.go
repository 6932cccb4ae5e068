// Go's own net/rpc as a peer:
//
//	netrpc server <network> <address> [http]   serves Foo, and prints where
//	netrpc client <target>                     calls what its input says; tcp@host:port, unix@path, http@host:port
//	netrpc fixtures <folder>                   a conversation with itself, both sides as files
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"path/filepath"
	"strings"

	"farcall/peers/kit"
)

func main() {
	log.SetFlags(0)
	switch os.Args[1] {
	case "server":
		serve(os.Args[2], os.Args[3], len(os.Args) > 4)
	case "client":
		client, err := dial(os.Args[2])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		kit.Run(caller(client))
	case "fixtures":
		fixtures(os.Args[2])
	}
}

func newServer() *rpc.Server {
	server := rpc.NewServer()
	if err := server.RegisterName("Foo", kit.Foo(0)); err != nil {
		log.Fatal(err)
	}
	return server
}

func serve(network, address string, overHTTP bool) {
	l, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	server := newServer()
	fmt.Println("listening", l.Addr())
	if overHTTP {
		mux := http.NewServeMux()
		mux.Handle(rpc.DefaultRPCPath, server)
		_ = http.Serve(l, mux)
	}
	server.Accept(l)
}

func dial(target string) (*rpc.Client, error) {
	network, address, _ := strings.Cut(target, "@")
	if network == "http" {
		return rpc.DialHTTP("tcp", address)
	}
	return rpc.Dial(network, address)
}

func caller(client *rpc.Client) kit.Caller {
	return func(ctx context.Context, c kit.Command, args, reply any) error {
		call := client.Go(c.Method, args, reply, make(chan *rpc.Call, 1))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case done := <-call.Done:
			return done.Error
		}
	}
}

func fixtures(folder string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go newServer().Accept(l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	recording := new(kit.Recorder)
	client := rpc.NewClient(recording.Wrap(conn))
	for _, method := range []string{"Foo.Sum", "Foo.Fail", "Foo.Upper", "Foo.Wrap", "Foo.Missing", "Bar.Sum", "Foo.Sum"} {
		args, reply := kit.ShapeOf(method)
		kit.Fill(args)
		_ = client.Call(method, args, reply)
	}
	recording.Save(filepath.Join(folder, "gob"))
}
