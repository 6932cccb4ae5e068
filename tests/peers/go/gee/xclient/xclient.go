package xclient

import (
	"context"
	"reflect"
	"sync"

	"farcall/peers/gee"
)

// XClient calls servers that a discovery finds, over one connection to each.
type XClient struct {
	family  gee.Family
	d       Discovery
	mode    SelectMode
	opt     *gee.Option
	mu      sync.Mutex
	clients map[string]*gee.Client
}

// New makes a client without connections.
func New(family gee.Family, d Discovery, mode SelectMode, opt *gee.Option) *XClient {
	return &XClient{family: family, d: d, mode: mode, opt: opt, clients: map[string]*gee.Client{}}
}

// Close closes all connections.
func (x *XClient) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for addr, client := range x.clients {
		_ = client.Close()
		delete(x.clients, addr)
	}
	return nil
}

// While one is dialled, nobody gets another.
func (x *XClient) dial(addr string) (*gee.Client, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if client := x.clients[addr]; client != nil {
		if client.IsAvailable() {
			return client, nil
		}
		_ = client.Close()
		delete(x.clients, addr)
	}
	client, err := x.family.XDial(addr, x.opt)
	if err == nil {
		x.clients[addr] = client
	}
	return client, err
}

func (x *XClient) call(ctx context.Context, addr, method string, args, reply any) error {
	client, err := x.dial(addr)
	if err != nil {
		return err
	}
	return client.Call(ctx, method, args, reply)
}

// Call calls one server.
func (x *XClient) Call(ctx context.Context, method string, args, reply any) error {
	addr, err := x.d.Get(x.mode)
	if err != nil {
		return err
	}
	return x.call(ctx, addr, method, args, reply)
}

// Broadcast calls all servers. The reply is that of the first to succeed; the error that of the first to fail, with
// which those still under way are given up. Nobody there is a success without a reply.
func (x *XClient) Broadcast(ctx context.Context, method string, args, reply any) error {
	servers, err := x.d.GetAll()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	replied := reply == nil
	for _, addr := range servers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var own any
			if reply != nil {
				own = reflect.New(reflect.TypeOf(reply).Elem()).Interface()
			}
			err := x.call(ctx, addr, method, args, own)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && failure == nil {
				failure = err
				cancel()
			}
			if err == nil && !replied {
				reflect.ValueOf(reply).Elem().Set(reflect.ValueOf(own).Elem())
				replied = true
			}
		}()
	}
	wg.Wait()
	return failure
}
