// The Go peers that need nothing but Go's own library.
package main

import "farcall.bench/peers/harness"

func main() {
	harness.Main(map[string]harness.Variant{
		"netrpc": {Serve: serveNetRPC, Dial: dialNetRPC},
		"geerpc": {Serve: serveGee, Dial: dialGee},
	})
}
