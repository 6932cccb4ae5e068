package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/rpc"
	"time"
)

type Polyglot struct{}

type Numbers struct{ A, B int }

func (Polyglot) Add(numbers Numbers, sum *int) error {
	*sum = numbers.A + numbers.B
	return nil
}

func (Polyglot) Hello(name string, greeting *string) error {
	*greeting = "Hello " + name + ", this is Go"
	return nil
}

func serve(registry string) {
	check(rpc.Register(Polyglot{}))
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	address := listener.Addr().String()
	check(sendHeartbeat(registry, address))
	go func() {
		for range time.Tick(4 * time.Minute) {
			if err := sendHeartbeat(registry, address); err != nil {
				log.Println(err)
			}
		}
	}()
	fmt.Println("ready", address)
	for {
		go serveGeerpc(must(listener.Accept()))
	}
}

// The first one registers the server, the others keep it there: its address is in a header field.
func sendHeartbeat(registry, address string) error {
	request := must(http.NewRequest("POST", "http://"+registry+"/_geerpc_/registry", nil))
	request.Header.Set("X-Geerpc-Server", "tcp@"+address)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
