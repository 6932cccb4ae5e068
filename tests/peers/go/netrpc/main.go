// Go's own net/rpc as a peer:
//
//	netrpc server <network> <address> [http]   serves Foo, and prints where
//	netrpc client <target>                     calls what its input says; tcp@host:port, unix@path, http@host:port
//	netrpc fixtures <folder>                   a conversation with itself, both sides as files
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"path/filepath"
	"strings"
	"time"
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
		run(caller(client))
	case "fixtures":
		fixtures(os.Args[2])
	}
}

func newServer() *rpc.Server {
	server := rpc.NewServer()
	if err := server.RegisterName("Foo", Foo(0)); err != nil {
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

func caller(client *rpc.Client) func(string, any, any, time.Duration) error {
	return func(method string, args, reply any, limit time.Duration) error {
		call := client.Go(method, args, reply, make(chan *rpc.Call, 1))
		var expired <-chan time.Time
		if limit != 0 {
			expired = time.After(limit)
		}
		select {
		case <-expired:
			return errors.New("given up")
		case done := <-call.Done:
			return done.Error
		}
	}
}

func fixtures(folder string) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go newServer().Accept(l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	recording = new(recorder)
	client := rpc.NewClient(recording.wrap(conn))
	for _, method := range []string{"Foo.Sum", "Foo.Fail", "Foo.Upper", "Foo.Wrap", "Foo.Missing", "Bar.Sum", "Foo.Sum"} {
		args, reply := shapeOf(method)
		fill(args)
		_ = client.Call(method, args, reply)
	}
	recording.save(filepath.Join(folder, "gob"))
}

func fill(args any) {
	switch a := args.(type) {
	case *Args:
		*a = Args{3, 4}
	case *string:
		*a = "übung"
	case *Item:
		*a = Item{Name: "n", Tags: []string{"a", ""}, Size: map[string]int{"k": -1}, Raw: []byte{0, 255}, Big: 1<<64 - 1}
	}
}
