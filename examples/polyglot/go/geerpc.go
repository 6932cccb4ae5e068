package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"io"
	"net"
	"net/rpc"
)

// Option is what a geerpc client says first, in JSON: how it writes what follows. That is a header and a body for each
// call and for each answer, as Go's own net/rpc has them.
type Option struct {
	MagicNumber int
	CodecType   string
}

const magicNumber = 0x3bef5c

func dialGeerpc(address string) *rpc.Client {
	conn := must(net.Dial("tcp", address))
	check(json.NewEncoder(conn).Encode(Option{magicNumber, "application/gob"}))
	return rpc.NewClient(conn)
}

func serveGeerpc(conn net.Conn) {
	options := json.NewDecoder(conn)
	var option Option
	if err := options.Decode(&option); err != nil || option.MagicNumber != magicNumber {
		conn.Close()
		return
	}
	// The decoder has read ahead: what it has beyond the option, but for a line end, is the first call.
	in := bufio.NewReader(io.MultiReader(options.Buffered(), conn))
	if next, err := in.Peek(1); err == nil && next[0] == '\n' {
		in.ReadByte()
	}
	if option.CodecType == "application/json" {
		rpc.ServeCodec(codec{json.NewDecoder(in), json.NewEncoder(conn), conn})
	} else {
		rpc.ServeCodec(codec{gob.NewDecoder(in), gob.NewEncoder(conn), conn})
	}
}

// A codec is what net/rpc asks a server for.
type codec struct {
	decoder interface{ Decode(any) error }
	encoder interface{ Encode(any) error }
	io.Closer
}

func (c codec) ReadRequestHeader(header *rpc.Request) error { return c.decoder.Decode(header) }
func (c codec) ReadRequestBody(body any) error              { return c.decoder.Decode(body) }

func (c codec) WriteResponse(header *rpc.Response, body any) error {
	if err := c.encoder.Encode(header); err != nil {
		return err
	}
	return c.encoder.Encode(body)
}
