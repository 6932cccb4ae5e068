// A peer written from the documents of geerpc and MyRPC, with the standard library only:
//
//	geerpc server <network> <address> [http]     serves Foo, and prints where
//	geerpc client <target> <codec> <handle ms>   calls what its input says
//	geerpc fixtures <folder>                     a conversation with itself, for each codec, both sides as files
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	log.SetFlags(0)
	switch os.Args[1] {
	case "server":
		serve(os.Args[2], os.Args[3], len(os.Args) > 4)
	case "client":
		ms, _ := strconv.Atoi(os.Args[4])
		handle := time.Duration(ms) * time.Millisecond
		client, err := XDial(os.Args[2], &Option{magicNumber, os.Args[3], 10 * time.Second, handle})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		run(client.Call)
	case "fixtures":
		fixtures(os.Args[2])
	}
}

func newServer() *Server {
	server := new(Server)
	server.Register("Foo", Foo(0))
	return server
}

func serve(network, address string, overHTTP bool) {
	l, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	server := newServer()
	fmt.Println("listening", l.Addr())
	if !overHTTP {
		server.Accept(l)
		return
	}
	mux := http.NewServeMux()
	for path := range paths {
		mux.Handle(path, server)
	}
	_ = http.Serve(l, mux)
}

func fixtures(folder string) {
	for _, codec := range []string{"gob", "json"} {
		l, _ := net.Listen("tcp", "127.0.0.1:0")
		go newServer().Accept(l)
		recording = new(recorder)
		client, err := XDial("tcp@"+l.Addr().String(), &Option{magicNumber, "application/" + codec, 10 * time.Second, 0})
		if err != nil {
			log.Fatal(err)
		}
		// Or the server takes the first call for a part of the option, and loses it.
		time.Sleep(200 * time.Millisecond)
		for _, method := range []string{"Foo.Sum", "Foo.Fail", "Foo.Upper", "Foo.Wrap", "Foo.Sum"} {
			args, reply := shapeOf(method)
			fill(args)
			_ = client.Call(method, args, reply, 0)
		}
		// The last: after it the server closes.
		_ = client.Call("Foo.Missing", &Args{1, 2}, new(int), 0)
		recording.save(filepath.Join(folder, codec))
	}
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
