package main

import (
	"net"
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
