// A server and a client of geerpc and MyRPC:
//
//	geerpc server <network> <address> [http]     serves Foo, and prints where
//	geerpc client <target> <codec> <handle ms>   calls what its input says; myrpc@host:port is MyRPC's http@host:port
//	geerpc fixtures <folder>                     a conversation with itself, for each codec, both sides as files
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"farcall/peers/gee"
	"farcall/peers/kit"
)

func main() {
	log.SetFlags(0)
	switch os.Args[1] {
	case "server":
		serve(os.Args[2], os.Args[3], len(os.Args) > 4)
	case "client":
		ms, _ := strconv.Atoi(os.Args[4])
		call(os.Args[2], gee.NewOption(os.Args[3], time.Duration(ms)*time.Millisecond))
	case "fixtures":
		fixtures(os.Args[2])
	}
}

func newServer(family gee.Family) *gee.Server {
	server := gee.NewServer(family)
	server.Register("Foo", kit.Foo(0))
	return server
}

func serve(network, address string, overHTTP bool) {
	l, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening", l.Addr())
	if !overHTTP {
		newServer(gee.Gee).Accept(l)
		return
	}
	mux := http.NewServeMux()
	for _, family := range []gee.Family{gee.Gee, gee.My} {
		mux.Handle(family.Path, newServer(family))
	}
	_ = http.Serve(l, mux)
}

func call(target string, opt *gee.Option) {
	family := gee.Gee
	if address, found := strings.CutPrefix(target, "myrpc@"); found {
		family, target = gee.My, "http@"+address
	}
	client, err := family.XDial(target, opt)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	kit.Run(func(ctx context.Context, c kit.Command, args, reply any) error {
		return client.Call(ctx, c.Method, args, reply)
	})
}

func fixtures(folder string) {
	for _, codec := range []string{"gob", "json"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		go newServer(gee.Gee).Accept(l)
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		recording := new(kit.Recorder)
		client, err := gee.NewClient(recording.Wrap(conn), gee.NewOption("application/"+codec, 0))
		if err != nil {
			log.Fatal(err)
		}
		// Or the server takes the first call for a part of the option, and loses it.
		time.Sleep(200 * time.Millisecond)
		// The last is the last: after it the server closes.
		for _, method := range []string{"Foo.Sum", "Foo.Fail", "Foo.Upper", "Foo.Wrap", "Foo.Sum", "Foo.Missing"} {
			args, reply := kit.ShapeOf(method)
			kit.Fill(args)
			if method == "Foo.Missing" {
				args = &kit.Args{Num1: 1, Num2: 2}
			}
			_ = client.Call(context.Background(), method, args, reply)
		}
		recording.Save(filepath.Join(folder, codec))
	}
}
