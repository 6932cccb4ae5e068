// A peer of JSON-RPC 1.0: Go's own net/rpc/jsonrpc, as a server or as a client. The standard library only.
//
//	jsonrpc server ADDRESS   serves Arith, prints "listening on HOST:PORT"
//	jsonrpc client ADDRESS   calls Arith there, prints one JSON object per result
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"strings"
	"time"
)

// Args is what most methods take.
type Args struct{ A, B int }

// Quotient is what Divide gives.
type Quotient struct{ Quo, Rem int }

// Everything has what JSON makes of Go's types.
type Everything struct {
	Text   string
	Bytes  []byte
	Big    uint64
	Wait   time.Duration
	Counts map[string]int
	Next   *Everything
}

// Arith is the service.
type Arith int

// Multiply gives A * B.
func (*Arith) Multiply(args *Args, reply *int) error {
	*reply = args.A * args.B
	return nil
}

// Divide fails for B = 0.
func (*Arith) Divide(args *Args, quo *Quotient) error {
	if args.B == 0 {
		return errors.New("divide by zero")
	}
	*quo = Quotient{args.A / args.B, args.A % args.B}
	return nil
}

// Sleep answers after so many milliseconds.
func (*Arith) Sleep(ms int, reply *int) error {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	*reply = ms
	return nil
}

// Echo gives back what it got.
func (*Arith) Echo(in *Everything, out *Everything) error {
	*out = *in
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fail(errors.New("usage: jsonrpc server|client ADDRESS"))
	}
	switch os.Args[1] {
	case "server":
		serve(os.Args[2])
	case "client":
		call(os.Args[2])
	default:
		fail(errors.New("usage: jsonrpc server|client ADDRESS"))
	}
}

func serve(address string) {
	if err := rpc.Register(new(Arith)); err != nil {
		fail(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fail(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			fail(err)
		}
		go jsonrpc.ServeConn(conn)
	}
}

func call(address string) {
	// Dialled early, and silent for a while, as Go's clients are.
	client, err := jsonrpc.Dial("tcp", address)
	if err != nil {
		fail(err)
	}
	var product int
	report("multiply", client.Call("Arith.Multiply", Args{7, 8}, &product), &product)
	var quotient Quotient
	report("divide", client.Call("Arith.Divide", Args{17, 5}, &quotient), &quotient)
	report("divide by zero", client.Call("Arith.Divide", Args{1, 0}, &quotient), nil)
	report("no such method", client.Call("Arith.Nope", Args{}, &product), nil)
	report("no such service", client.Call("Nope.Multiply", Args{}, &product), nil)
	in := everything(3)
	var out Everything
	report("echo", client.Call("Arith.Echo", in, &out), &out)
	large := Everything{Text: strings.Repeat("0123456789", 10_000)}
	var back Everything
	err = client.Call("Arith.Echo", large, &back)
	same := back.Text == large.Text
	report("large", err, &same)
	atOnce(client)
	report("close", client.Close(), nil)
}

func everything(depth int) *Everything {
	if depth == 0 {
		return nil
	}
	return &Everything{
		Text:   "ä€😀 \"quoted\"\n",
		Bytes:  []byte{0, 1, 254, 255},
		Big:    1<<64 - 1,
		Wait:   1500 * time.Millisecond,
		Counts: map[string]int{"a": 1, "__proto__": 2},
		Next:   everything(depth - 1),
	}
}

// Ten slow calls on one connection, answered in any order.
func atOnce(client *rpc.Client) {
	begin := time.Now()
	calls := make(chan *rpc.Call, 10)
	replies := make([]int, 10)
	for i := range replies {
		client.Go("Arith.Sleep", 300-20*i, &replies[i], calls)
	}
	var err error
	for range replies {
		if done := <-calls; done.Error != nil {
			err = done.Error
		}
	}
	report("ten at once", err, &replies)
	quick := time.Since(begin) < 2*time.Second
	report("ten at once were quick", nil, &quick)
}

func report(name string, err error, value any) {
	line := map[string]any{"type": "result", "name": name}
	if err != nil {
		line["error"] = err.Error()
	} else {
		line["value"] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(text))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
