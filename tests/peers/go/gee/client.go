package gee

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Call is one that was made; it is sent to Done when it has come to something.
type Call struct {
	Seq   uint64
	Reply any
	Error error
	Done  chan *Call
}

// Client makes calls over one connection, of which many can be under way.
type Client struct {
	cc       Codec
	sending  sync.Mutex
	mu       sync.Mutex
	seq      uint64
	pending  map[uint64]*Call
	closing  bool
	shutdown bool
}

// ErrShutdown is what calls over a connection that is gone come to.
var ErrShutdown = errors.New("connection is shut down")

// Close closes the connection; a second time it fails.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return ErrShutdown
	}
	c.closing = true
	return c.cc.Close()
}

// IsAvailable tells whether calls can be made.
func (c *Client) IsAvailable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.shutdown && !c.closing
}

// Go makes a call and does not wait for it.
func (c *Client) Go(method string, args, reply any, done chan *Call) *Call {
	if done == nil {
		done = make(chan *Call, 10)
	} else if cap(done) == 0 {
		panic("rpc client: done channel is unbuffered")
	}
	call := &Call{Reply: reply, Done: done}
	c.sending.Lock()
	defer c.sending.Unlock()
	if err := c.register(call); err != nil {
		call.Error = err
		call.Done <- call
		return call
	}
	if err := c.cc.Write(&Header{ServiceMethod: method, Seq: call.Seq}, args); err != nil {
		if c.remove(call.Seq) != nil {
			call.Error = err
			call.Done <- call
		}
	}
	return call
}

// Call makes a call and waits for it, or for the end of the context.
func (c *Client) Call(ctx context.Context, method string, args, reply any) error {
	call := c.Go(method, args, reply, make(chan *Call, 1))
	select {
	case <-ctx.Done():
		c.remove(call.Seq)
		return errors.New("rpc client: call failed: " + ctx.Err().Error())
	case done := <-call.Done:
		// Where both have come, or the timer is late, chance would decide; a test is better off if the time does.
		if until, bounded := ctx.Deadline(); bounded && !time.Now().Before(until) {
			return errors.New("rpc client: call failed: " + context.DeadlineExceeded.Error())
		}
		return done.Error
	}
}

func (c *Client) register(call *Call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shutdown || c.closing {
		return ErrShutdown
	}
	call.Seq = c.seq
	c.pending[c.seq] = call
	c.seq++
	return nil
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
	c.terminate(err)
}

func (c *Client) terminate(err error) {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shutdown = true
	for _, call := range c.pending {
		call.Error = err
		call.Done <- call
	}
}
