package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"errors"
	"farcall.bench/peers/harness"
	"net"
	"reflect"
	"strings"
	"sync"
	"time"
)

// A server and client in the manner of geerpc: an option in JSON first, then header and body in gob, one goroutine per
// call beside one that waits for it, and a lock around each reply.

const magicNumber = 0x3bef5c

type geeOption struct {
	MagicNumber    int
	CodecType      string
	ConnectTimeout time.Duration
	HandleTimeout  time.Duration
}

type geeHeader struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

type geeCodec struct {
	conn net.Conn
	buf  *bufio.Writer
	dec  *gob.Decoder
	enc  *gob.Encoder
}

func newGeeCodec(conn net.Conn) *geeCodec {
	buf := bufio.NewWriter(conn)
	return &geeCodec{conn, buf, gob.NewDecoder(conn), gob.NewEncoder(buf)}
}

func (c *geeCodec) write(header *geeHeader, body any) error {
	defer c.buf.Flush()
	if err := c.enc.Encode(header); err != nil {
		return err
	}
	return c.enc.Encode(body)
}

func serveGee(listener net.Listener) {
	methods := map[string]reflect.Value{}
	service := reflect.ValueOf(harness.Bench{})
	for i := 0; i < service.NumMethod(); i++ {
		methods[service.Type().Method(i).Name] = service.Method(i)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go serveGeeConn(conn, methods)
	}
}

func serveGeeConn(conn net.Conn, methods map[string]reflect.Value) {
	defer conn.Close()
	var option geeOption
	if err := json.NewDecoder(conn).Decode(&option); err != nil || option.MagicNumber != magicNumber {
		return
	}
	codec := newGeeCodec(conn)
	var sending sync.Mutex
	for {
		var header geeHeader
		if err := codec.dec.Decode(&header); err != nil {
			return
		}
		_, name, _ := strings.Cut(header.ServiceMethod, ".")
		method, known := methods[name]
		if !known {
			return
		}
		args, reply := reflect.New(method.Type().In(0)), reflect.New(method.Type().In(1).Elem())
		if err := codec.dec.Decode(args.Interface()); err != nil {
			return
		}
		go handleGee(codec, &header, &sending, func() any {
			if failure := method.Call([]reflect.Value{args.Elem(), reply})[0].Interface(); failure != nil {
				header.Error = failure.(error).Error()
				return struct{}{}
			}
			return reply.Interface()
		})
	}
}

func handleGee(codec *geeCodec, header *geeHeader, sending *sync.Mutex, call func() any) {
	called, sent := make(chan struct{}), make(chan struct{})
	go func() {
		body := call()
		called <- struct{}{}
		sending.Lock()
		codec.write(header, body)
		sending.Unlock()
		sent <- struct{}{}
	}()
	<-called
	<-sent
}

type geeCall struct {
	reply any
	err   error
	done  chan *geeCall
}

type geeClient struct {
	codec   *geeCodec
	sending sync.Mutex
	mu      sync.Mutex
	seq     uint64
	pending map[uint64]*geeCall
}

func dialGee(address string) (harness.Caller, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	option := geeOption{MagicNumber: magicNumber, CodecType: "application/gob"}
	if err := json.NewEncoder(conn).Encode(option); err != nil {
		return nil, err
	}
	// The server reads the option with a decoder that buffers: a call in the same segment would be lost.
	time.Sleep(100 * time.Millisecond)
	client := &geeClient{codec: newGeeCodec(conn), pending: map[uint64]*geeCall{}}
	go client.receive()
	return client, nil
}

func (c *geeClient) Call(method string, args, reply any) error {
	call := &geeCall{reply: reply, done: make(chan *geeCall, 1)}
	c.sending.Lock()
	c.mu.Lock()
	c.seq++
	seq := c.seq
	c.pending[seq] = call
	c.mu.Unlock()
	err := c.codec.write(&geeHeader{ServiceMethod: method, Seq: seq}, args)
	c.sending.Unlock()
	if err != nil {
		return err
	}
	return (<-call.done).err
}

func (c *geeClient) receive() {
	for {
		var header geeHeader
		if err := c.codec.dec.Decode(&header); err != nil {
			return
		}
		c.mu.Lock()
		call := c.pending[header.Seq]
		delete(c.pending, header.Seq)
		c.mu.Unlock()
		if header.Error != "" {
			call.err = errors.New(header.Error)
			c.codec.dec.DecodeValue(reflect.Value{})
		} else {
			call.err = c.codec.dec.Decode(call.reply)
		}
		call.done <- call
	}
}
