package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

// callEveryone calls whom the registry knows: those who speak geerpc in that, and Python's servers in their JSON.
func callEveryone(registry string) {
	for _, address := range findGeerpc(registry) {
		client := dialGeerpc(address)
		var sum int
		check(client.Call("Polyglot.Add", Numbers{20, 22}, &sum))
		var greeting string
		check(client.Call("Polyglot.Hello", "Ada", &greeting))
		tell("geerpc", address, sum, greeting)
	}
	for _, address := range findLabJSON(registry) {
		tell("lab-json", address, callLabJSON(address, "add", 20, 22), callLabJSON(address, "hello", "Ada"))
	}
}

// The registry of geerpc answers in a header field.
func findGeerpc(registry string) (addresses []string) {
	response := must(http.Get("http://" + registry + "/_geerpc_/registry"))
	response.Body.Close()
	for _, server := range strings.Split(response.Header.Get("X-Geerpc-Servers"), ",") {
		addresses = append(addresses, strings.TrimPrefix(server, "tcp@"))
	}
	return addresses
}

// That of the Python system answers in JSON.
func findLabJSON(registry string) (addresses []string) {
	response := must(http.Get("http://" + registry + "/myRegistry/findAllInstances?proto=json"))
	defer response.Body.Close()
	var servers []struct {
		Host string
		Port int
	}
	check(json.NewDecoder(response.Body).Decode(&servers))
	for _, server := range servers {
		addresses = append(addresses, fmt.Sprintf("%s:%d", server.Host, server.Port))
	}
	return addresses
}

// callLabJSON calls a method of a server in Python: one connection, one object each way.
func callLabJSON(address, method string, args ...any) any {
	conn := must(net.Dial("tcp", address))
	defer conn.Close()
	request := map[string]any{"method_name": method, "method_args": args, "method_kwargs": map[string]any{}}
	check(json.NewEncoder(conn).Encode(request))
	var answer struct{ Res any }
	check(json.NewDecoder(conn).Decode(&answer))
	return answer.Res
}

func tell(protocol, server string, add, hello any) {
	said := map[string]any{"protocol": protocol, "server": server, "add": add, "hello": hello}
	check(json.NewEncoder(os.Stdout).Encode(said))
}
