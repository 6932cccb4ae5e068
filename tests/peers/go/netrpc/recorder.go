package main

import (
	"net"
	"os"
	"sync"
)

// recorder keeps what a client sends and receives.
type recorder struct {
	mu       sync.Mutex
	sent     []byte
	received []byte
}

var recording *recorder

func (r *recorder) wrap(conn net.Conn) net.Conn { return &recordedConn{conn, r} }

// save writes both sides to files.
func (r *recorder) save(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for side, bytes := range map[string][]byte{"client": r.sent, "server": r.received} {
		if err := os.WriteFile(path+"."+side+".bin", bytes, 0o644); err != nil {
			panic(err)
		}
	}
}

type recordedConn struct {
	net.Conn
	r *recorder
}

func (c *recordedConn) Write(b []byte) (int, error) {
	c.r.mu.Lock()
	c.r.sent = append(c.r.sent, b...)
	c.r.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *recordedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.r.mu.Lock()
	c.r.received = append(c.r.received, b[:n]...)
	c.r.mu.Unlock()
	return n, err
}
