// Gobcheck is the real thing that our gob codec is compared with: Go's own encoding/gob.
//
//	gobcheck fixtures   prints the streams of a table of values, as JSON of hex
//	gobcheck peer       answers requests, one JSON object a line: decodes a stream into given types, tells
//	                    what it got, and encodes it again
package main

import (
	"fmt"
	"os"
)

func main() {
	command := ""
	if len(os.Args) == 2 {
		command = os.Args[1]
	}
	switch command {
	case "fixtures":
		printFixtures()
	case "peer":
		answerRequests()
	default:
		fmt.Fprintln(os.Stderr, "usage: gobcheck fixtures | peer")
		os.Exit(2)
	}
}
