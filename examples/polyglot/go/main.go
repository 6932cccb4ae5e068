// A server and a client in Go, with the standard library alone.
//
//	polyglot server 127.0.0.1:9999    registers there
//	polyglot client 127.0.0.1:9999    calls everyone who is registered there
package main

import (
	"log"
	"os"
)

func main() {
	switch role, registry := os.Args[1], os.Args[2]; role {
	case "server":
		serve(registry)
	case "client":
		callEveryone(registry)
	}
}

// must gives what came without an error, or ends the program.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
