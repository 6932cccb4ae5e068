package gee

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"io"
	"time"
)

const magicNumber = 0x3bef5c

// Option is what a client says first, in JSON; Header, Body, Header, Body … follow in the codec that it names.
type Option struct {
	MagicNumber    int
	CodecType      string
	ConnectTimeout time.Duration
	HandleTimeout  time.Duration
}

// NewOption has the values of the documents, but for these two.
func NewOption(codec string, handle time.Duration) *Option {
	return &Option{magicNumber, codec, 10 * time.Second, handle}
}

type Header struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

type Codec interface {
	io.Closer
	ReadHeader(*Header) error
	ReadBody(any) error
	Write(*Header, any) error
}

var codecs = map[string]func(io.ReadWriteCloser) Codec{
	"application/gob":  newGobCodec,
	"application/json": newJsonCodec,
}

type decoder interface{ Decode(any) error }
type encoder interface{ Encode(any) error }

type streamCodec struct {
	conn io.ReadWriteCloser
	buf  *bufio.Writer
	dec  decoder
	enc  encoder
	json bool
}

func newGobCodec(conn io.ReadWriteCloser) Codec {
	buf := bufio.NewWriter(conn)
	return &streamCodec{conn, buf, gob.NewDecoder(conn), gob.NewEncoder(buf), false}
}

func newJsonCodec(conn io.ReadWriteCloser) Codec {
	buf := bufio.NewWriter(conn)
	return &streamCodec{conn, buf, json.NewDecoder(conn), json.NewEncoder(buf), true}
}

func (c *streamCodec) ReadHeader(h *Header) error { return c.dec.Decode(h) }

func (c *streamCodec) ReadBody(body any) error {
	if body == nil && c.json {
		var skipped json.RawMessage
		return c.dec.Decode(&skipped)
	}
	return c.dec.Decode(body)
}

func (c *streamCodec) Write(h *Header, body any) (err error) {
	defer func() {
		_ = c.buf.Flush()
		if err != nil {
			_ = c.Close()
		}
	}()
	if err = c.enc.Encode(h); err != nil {
		return err
	}
	return c.enc.Encode(body)
}

func (c *streamCodec) Close() error { return c.conn.Close() }
