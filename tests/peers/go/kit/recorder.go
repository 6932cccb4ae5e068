package kit

import (
	"net"
	"os"
	"sync"
)

// Recorder keeps what a client sends and receives.
type Recorder struct {
	mu       sync.Mutex
	sent     []byte
	received []byte
}

// Wrap gives a connection whose bytes are kept.
func (r *Recorder) Wrap(conn net.Conn) net.Conn { return &recordedConn{conn, r} }

// Save writes both sides to files: path.client.bin and path.server.bin.
func (r *Recorder) Save(path string) {
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
	r *Recorder
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
