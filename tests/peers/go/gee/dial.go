package gee

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// NewClient says the option. The first call after it may follow in the same piece, and is then lost by the servers of
// the documents.
func NewClient(conn net.Conn, opt *Option) (*Client, error) {
	f := codecs[opt.CodecType]
	if f == nil {
		return nil, fmt.Errorf("invalid codec type %s", opt.CodecType)
	}
	if err := json.NewEncoder(conn).Encode(opt); err != nil {
		return nil, err
	}
	c := &Client{cc: f(conn), seq: 1, pending: map[uint64]*Call{}}
	go c.receive()
	return c, nil
}

func (f Family) newHTTPClient(conn net.Conn, opt *Option) (*Client, error) {
	if _, err := io.WriteString(conn, "CONNECT "+f.Path+" HTTP/1.0\n\n"); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "CONNECT"})
	if err != nil {
		return nil, err
	}
	if resp.Status != f.Connected {
		return nil, errors.New("unexpected HTTP response: " + resp.Status)
	}
	return NewClient(conn, opt)
}

// XDial takes protocol@address: tcp@host:port, unix@path, and http@host:port for a CONNECT first.
func (f Family) XDial(target string, opt *Option) (*Client, error) {
	parts := strings.Split(target, "@")
	if len(parts) != 2 {
		return nil, fmt.Errorf("rpc client err: wrong format '%s', expect protocol@addr", target)
	}
	network, start := parts[0], NewClient
	if network == "http" {
		network, start = "tcp", f.newHTTPClient
	}
	conn, err := net.DialTimeout(network, parts[1], opt.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	client, err := startWithin(opt.ConnectTimeout, func() (*Client, error) { return start(conn, opt) })
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	time.Sleep(f.Pause)
	return client, nil
}

// startWithin agrees with the server; a timeout of 0 is none.
func startWithin(timeout time.Duration, start func() (*Client, error)) (*Client, error) {
	type result struct {
		client *Client
		err    error
	}
	done := make(chan result, 1)
	go func() {
		client, err := start()
		done <- result{client, err}
	}()
	var expired <-chan time.Time
	if timeout != 0 {
		expired = time.After(timeout)
	}
	select {
	case <-expired:
		return nil, fmt.Errorf("rpc client: connect timeout: expect within %s", timeout)
	case r := <-done:
		return r.client, r.err
	}
}
