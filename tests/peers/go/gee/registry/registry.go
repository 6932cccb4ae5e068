// Package registry is the registry of documents 003 and 004: addresses in the headers of HTTP, and nothing in bodies.
package registry

import (
	"log"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"farcall/peers/gee"
)

// DefaultTimeout is how long an address stays after it was last heard of.
const DefaultTimeout = 5 * time.Minute

// Registry holds the addresses of servers. There is no way to take one back.
type Registry struct {
	family  gee.Family
	timeout time.Duration
	mu      sync.Mutex
	heard   map[string]time.Time
}

// New makes an empty registry; with a timeout of 0 what is registered stays for ever.
func New(family gee.Family, timeout time.Duration) *Registry {
	return &Registry{family: family, timeout: timeout, heard: map[string]time.Time{}}
}

func (r *Registry) put(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard[addr] = time.Now()
}

func (r *Registry) alive() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var alive []string
	for addr, at := range r.heard {
		if r.timeout == 0 || time.Since(at) < r.timeout {
			alive = append(alive, addr)
		} else {
			delete(r.heard, addr)
		}
	}
	sort.Strings(alive)
	return alive
}

func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch req.Method {
	case "GET":
		w.Header().Set(r.family.ServersHeader, strings.Join(r.alive(), ","))
	case "POST":
		addr := req.Header.Get(r.family.ServerHeader)
		if addr == "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.put(addr)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// Heartbeat registers an address at once, and again and again from then on: each `every`, which is four minutes where
// it is 0. It ends for ever with the first one that does not reach the registry, be it the very first.
func Heartbeat(family gee.Family, url, addr string, every time.Duration) {
	if every == 0 {
		every = DefaultTimeout - time.Minute
	}
	err := beat(family, url, addr)
	go func() {
		ticks := time.NewTicker(every)
		for err == nil {
			<-ticks.C
			err = beat(family, url, addr)
		}
	}()
}

// What the registry answers is not looked at.
func beat(family gee.Family, url, addr string) error {
	req, err := http.NewRequest("POST", url, nil)
	if err == nil {
		req.Header.Set(family.ServerHeader, addr)
		_, err = http.DefaultClient.Do(req)
	}
	if err != nil {
		log.Println("rpc server: heart beat err:", err)
		return err
	}
	log.Println(addr, "sent heart beat to registry", url)
	return nil
}
