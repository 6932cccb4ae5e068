package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

type Call struct {
	Seq   uint64
	Reply any
	Error error
	Done  chan *Call
}

type Client struct {
	cc       Codec
	sending  sync.Mutex
	mu       sync.Mutex
	seq      uint64
	pending  map[uint64]*Call
	shutdown bool
}

var ErrShutdown = errors.New("connection is shut down")

// The first call after it may follow in the same piece.
func newClient(conn net.Conn, opt *Option) (*Client, error) {
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

func newHTTPClient(conn net.Conn, path string, opt *Option) (*Client, error) {
	_, _ = io.WriteString(conn, fmt.Sprintf("CONNECT %s HTTP/1.0\n\n", path))
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "CONNECT"})
	if err != nil {
		return nil, err
	}
	if resp.Status != paths[path] {
		return nil, errors.New("unexpected HTTP response: " + resp.Status)
	}
	return newClient(conn, opt)
}

// XDial takes tcp@host:port, unix@path, http@host:port (geerpc's path) and myrpc@host:port (MyRPC's).
func XDial(target string, opt *Option) (*Client, error) {
	network, addr, found := strings.Cut(target, "@")
	if !found {
		return nil, fmt.Errorf("rpc client err: wrong format '%s', expect protocol@addr", target)
	}
	path := map[string]string{"http": "/_geeprc_", "myrpc": "/_myrpc_"}[network]
	if path != "" {
		network = "tcp"
	}
	conn, err := net.DialTimeout(network, addr, opt.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	if recording != nil {
		conn = recording.wrap(conn)
	}
	if path != "" {
		return newHTTPClient(conn, path, opt)
	}
	return newClient(conn, opt)
}

func (c *Client) Go(method string, args, reply any) *Call {
	call := &Call{Reply: reply, Done: make(chan *Call, 1)}
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	if c.shutdown {
		c.mu.Unlock()
		call.Error = ErrShutdown
		call.Done <- call
		return call
	}
	call.Seq = c.seq
	c.pending[c.seq] = call
	c.seq++
	c.mu.Unlock()
	if err := c.cc.Write(&Header{ServiceMethod: method, Seq: call.Seq}, args); err != nil {
		if c.remove(call.Seq) != nil {
			call.Error = err
			call.Done <- call
		}
	}
	return call
}

func (c *Client) Call(method string, args, reply any, limit time.Duration) error {
	call := c.Go(method, args, reply)
	var expired <-chan time.Time
	if limit != 0 {
		expired = time.After(limit)
	}
	select {
	case <-expired:
		c.remove(call.Seq)
		return errors.New("rpc client: call failed: context deadline exceeded")
	case done := <-call.Done:
		return done.Error
	}
}

func (c *Client) remove(seq uint64) *Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.pending[seq]
	delete(c.pending, seq)
	return call
}

func (c *Client) receive() {
	var err error
	for err == nil {
		var h Header
		if err = c.cc.ReadHeader(&h); err != nil {
			break
		}
		call := c.remove(h.Seq)
		switch {
		case call == nil:
			err = c.cc.ReadBody(nil)
		case h.Error != "":
			call.Error = errors.New(h.Error)
			err = c.cc.ReadBody(nil)
			call.Done <- call
		default:
			if err = c.cc.ReadBody(call.Reply); err != nil {
				call.Error = errors.New("reading body " + err.Error())
			}
			call.Done <- call
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shutdown = true
	for _, call := range c.pending {
		call.Error = err
		call.Done <- call
	}
}
