// Package gee is geerpc and MyRPC, the RPC frameworks of documents 003 and 004, written from these with the standard
// library only. What is odd about them is kept.
package gee

import (
	"fmt"
	"time"
)

// Family is what tells the two apart on the wire.
type Family struct {
	// Path is where HTTP CONNECT goes, and Connected the status that its client expects.
	Path, Connected string
	// What is said of a name without a dot, before the name.
	illFormed string
	// ServerHeader and ServersHeader are what the registry is told, and tells.
	ServerHeader, ServersHeader string
	// Pause is how long a client waits between the option and its first call. In the documents that is no time, and
	// their servers lose more than half of the first calls: they take them for a part of the option.
	Pause time.Duration
}

var Gee = Family{
	Path:          "/_geeprc_",
	Connected:     "200 Connected to Gee RPC",
	illFormed:     "rpc server: service/method request ill-formed: ",
	ServerHeader:  "X-Geerpc-Server",
	ServersHeader: "X-Geerpc-Servers",
}

var My = Family{
	Path:          "/_myrpc_",
	Connected:     "200 Connected to MyRPC",
	illFormed:     "rpc server: server/method request ill-formed: ",
	ServerHeader:  "X-Myrpc-Server",
	ServersHeader: "X-Myrpc-Servers",
}

// RegistryPath is the same in both documents.
const RegistryPath = "/_geerpc_/registry"

// FamilyOf finds a family by the name of its framework.
func FamilyOf(name string) (Family, error) {
	switch name {
	case "geerpc":
		return Gee, nil
	case "myrpc":
		return My, nil
	}
	return Family{}, fmt.Errorf("no family %q: geerpc or myrpc", name)
}
