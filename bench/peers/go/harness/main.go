// Package harness is what the Go peers of the bench share. Both command lines are those of harness/server.ts and
// harness/client.ts:
//
//	peers <variant> server
//	peers <variant> client <address> <load as JSON>
package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
)

// Pair, Item and so on are what travels.
type Pair struct{ A, B int }

type Name struct{ First, Last string }

type Address struct{ Street, City, Zip string }

type Item struct {
	Id      int
	Email   string
	Name    Name
	Address Address
	Roles   []string
	Active  bool
	Balance float64
}

type Nested struct {
	Total, Page int
	Items       []Item
}

// Bench is the service, in the form that net/rpc and geerpc share.
type Bench struct{}

func (Bench) Add(in Pair, out *int) error         { *out = in.A + in.B; return nil }
func (Bench) Text(in string, out *string) error   { *out = in; return nil }
func (Bench) Bytes(in []byte, out *[]byte) error  { *out = in; return nil }
func (Bench) Nested(in Nested, out *Nested) error { *out = in; return nil }

// Caller makes one call and waits for it.
type Caller interface {
	Call(method string, args, reply any) error
}

// Variant is one peer.
type Variant struct {
	Serve func(net.Listener)
	Dial  func(address string) (Caller, error)
}

// Main runs the command line.
func Main(variants map[string]Variant) {
	chosen, known := variants[os.Args[1]]
	if !known {
		Fail(fmt.Errorf("unknown variant %s", os.Args[1]))
	}
	if os.Args[2] == "server" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			Fail(err)
		}
		go chosen.Serve(listener)
		fmt.Printf("{\"address\":%q,\"pids\":[%d]}\n", listener.Addr(), os.Getpid())
		io.Copy(io.Discard, os.Stdin)
		return
	}
	var load Load
	if err := json.Unmarshal([]byte(os.Args[4]), &load); err != nil {
		Fail(err)
	}
	measured := run(load, func() (func(n int) error, error) {
		caller, err := chosen.Dial(os.Args[3])
		if err != nil {
			return nil, err
		}
		return task(caller, load)
	})
	json.NewEncoder(os.Stdout).Encode(measured)
}

// Fail ends the program with the reason.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
