//go:build tools

package main

// nats-server is built from this module too.
import _ "github.com/nats-io/nats-server/v2"
