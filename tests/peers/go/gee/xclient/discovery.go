// Package xclient is the client of documents 003 and 004 that knows several servers.
package xclient

import (
	"errors"
	"log"
	"math"
	"math/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"farcall/peers/gee"
)

// SelectMode is how a server is chosen.
type SelectMode int

const (
	RandomSelect SelectMode = iota
	RoundRobinSelect
)

// Discovery is what a client asks for servers.
type Discovery interface {
	Refresh() error
	Update(servers []string) error
	Get(mode SelectMode) (string, error)
	GetAll() ([]string, error)
}

// MultiServersDiscovery knows the servers that it was given.
type MultiServersDiscovery struct {
	mu      sync.Mutex
	servers []string
	index   int
}

// NewMultiServersDiscovery begins its rounds anywhere.
func NewMultiServersDiscovery(servers []string) *MultiServersDiscovery {
	return &MultiServersDiscovery{servers: servers, index: rand.Intn(math.MaxInt32 - 1)}
}

// Refresh does nothing.
func (d *MultiServersDiscovery) Refresh() error { return nil }

// Update puts other servers in the place of those that it knew.
func (d *MultiServersDiscovery) Update(servers []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.servers = servers
	return nil
}

// Get chooses a server.
func (d *MultiServersDiscovery) Get(mode SelectMode) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.servers)
	if n == 0 {
		return "", errors.New("rpc discovery: no available servers")
	}
	switch mode {
	case RandomSelect:
		return d.servers[rand.Intn(n)], nil
	case RoundRobinSelect:
		server := d.servers[d.index%n]
		d.index = (d.index + 1) % n
		return server, nil
	default:
		return "", errors.New("rpc discovery: not supported select mode")
	}
}

// GetAll gives all servers.
func (d *MultiServersDiscovery) GetAll() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.servers...), nil
}

// RegistryDiscovery asks a registry, where it did so longer ago than its timeout.
type RegistryDiscovery struct {
	*MultiServersDiscovery
	family  gee.Family
	url     string
	timeout time.Duration
	asked   time.Time
}

// NewRegistryDiscovery knows nobody yet; a timeout of 0 is ten seconds.
func NewRegistryDiscovery(family gee.Family, url string, timeout time.Duration) *RegistryDiscovery {
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return &RegistryDiscovery{
		MultiServersDiscovery: NewMultiServersDiscovery(nil),
		family:                family,
		url:                   url,
		timeout:               timeout,
	}
}

// Update counts as asking.
func (d *RegistryDiscovery) Update(servers []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.servers, d.asked = servers, time.Now()
	return nil
}

// Refresh fails where the registry cannot be reached; what it knew before is then kept, and not used.
func (d *RegistryDiscovery) Refresh() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.asked) < d.timeout {
		return nil
	}
	log.Println("rpc registry: refresh servers from registry", d.url)
	resp, err := http.Get(d.url)
	if err != nil {
		log.Println("rpc registry refresh err:", err)
		return err
	}
	_ = resp.Body.Close()
	d.servers = nil
	for _, server := range strings.Split(resp.Header.Get(d.family.ServersHeader), ",") {
		if server = strings.TrimSpace(server); server != "" {
			d.servers = append(d.servers, server)
		}
	}
	d.asked = time.Now()
	return nil
}

func (d *RegistryDiscovery) Get(mode SelectMode) (string, error) {
	if err := d.Refresh(); err != nil {
		return "", err
	}
	return d.MultiServersDiscovery.Get(mode)
}

func (d *RegistryDiscovery) GetAll() ([]string, error) {
	if err := d.Refresh(); err != nil {
		return nil, err
	}
	return d.MultiServersDiscovery.GetAll()
}
