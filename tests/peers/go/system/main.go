// The main programs of documents 003 and 004, each part a process of its own:
//
//	system -role registry                 prints where it listens
//	system -role server -registry <url>   serves Foo, registers, and prints as what
//	system -role client -registry <url>   makes the calls; prints each outcome as text to stderr, as JSON to stdout
//
// With -family myrpc all of it is that of 004.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"farcall/peers/gee"
	"farcall/peers/gee/registry"
	"farcall/peers/gee/xclient"
	"farcall/peers/kit"
)

var (
	role       = flag.String("role", "", "registry, server or client")
	familyName = flag.String("family", "geerpc", "geerpc or myrpc")
	listen     = flag.String("listen", "", "where to listen; default :9999 for a registry, :0 for a server")
	url        = flag.String("registry", "http://localhost:9999"+gee.RegistryPath, "the registry's URL")
	timeout    = flag.Duration("timeout", registry.DefaultTimeout, "registry: how long a server stays, 0 for ever")
	heartbeat  = flag.Duration("heartbeat", 0, "server: the time between two, 0 for 4m")
	scheme     = flag.String("scheme", "tcp", "server: tcp, http (for CONNECT) or unix")
	part       = flag.String("part", "both", "client: call, broadcast, both, or input for what its input says")
	codec      = flag.String("codec", "application/gob", "client: its codec")
	handle     = flag.Duration("handle", 0, "client: HandleTimeout")
	refresh    = flag.Duration("refresh", 0, "client: how long it does not ask the registry again, 0 for 10s")
	selection  = flag.String("select", "random", "client: random or round-robin")
	limit      = flag.Duration("limit", 2*time.Second, "client: of a broadcast of Foo.Sleep")
	pause      = flag.Duration("pause", 0, "client: between the option and its first call, for servers that lose it")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	family, err := gee.FamilyOf(*familyName)
	if err != nil {
		log.Fatal(err)
	}
	family.Pause = *pause
	switch *role {
	case "registry":
		startRegistry(family)
	case "server":
		startServer(family)
	case "client":
		startClient(family)
	default:
		log.Fatalf("-role %q: registry, server or client", *role)
	}
}

func listenAt(network, otherwise string) net.Listener {
	if *listen == "" {
		*listen = otherwise
	}
	l, err := net.Listen(network, *listen)
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func startRegistry(family gee.Family) {
	l := listenAt("tcp", ":9999")
	mux := http.NewServeMux()
	mux.Handle(gee.RegistryPath, registry.New(family, *timeout))
	fmt.Printf("listening http://localhost:%d%s\n", l.Addr().(*net.TCPAddr).Port, gee.RegistryPath)
	log.Fatal(http.Serve(l, mux))
}

func startServer(family gee.Family) {
	network := *scheme
	if network == "http" {
		network = "tcp"
	}
	l := listenAt(network, ":0")
	server := gee.NewServer(family)
	server.Register("Foo", kit.Foo(0))
	addr := *scheme + "@" + l.Addr().String()
	registry.Heartbeat(family, *url, addr, *heartbeat)
	fmt.Println("listening", addr)
	if *scheme == "http" {
		mux := http.NewServeMux()
		mux.Handle(family.Path, server)
		log.Fatal(http.Serve(l, mux))
	}
	server.Accept(l)
}

func startClient(family gee.Family) {
	mode := xclient.RandomSelect
	if *selection == "round-robin" {
		mode = xclient.RoundRobinSelect
	}
	// One client for each part, as in the documents.
	newClient := func() *xclient.XClient {
		d := xclient.NewRegistryDiscovery(family, *url, *refresh)
		return xclient.New(family, d, mode, gee.NewOption(*codec, *handle))
	}
	if *part == "input" {
		fromInput(newClient())
		return
	}
	if *part == "call" || *part == "both" {
		calls(newClient())
	}
	if *part == "broadcast" || *part == "both" {
		broadcasts(newClient())
	}
	fmt.Println("done")
}

func fromInput(client *xclient.XClient) {
	defer client.Close()
	kit.Run(func(ctx context.Context, c kit.Command, args, reply any) error {
		if c.Broadcast {
			return client.Broadcast(ctx, c.Method, args, reply)
		}
		return client.Call(ctx, c.Method, args, reply)
	})
}
