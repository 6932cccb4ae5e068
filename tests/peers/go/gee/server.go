package gee

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
)

// Server answers calls of what was registered.
type Server struct {
	family   Family
	services sync.Map
}

// NewServer makes a server without services.
func NewServer(family Family) *Server { return &Server{family: family} }

type service struct {
	rcvr    reflect.Value
	methods map[string]reflect.Method
}

// Register adds the methods of a receiver, under this name.
func (s *Server) Register(name string, rcvr any) {
	v := reflect.ValueOf(rcvr)
	svc := &service{v, map[string]reflect.Method{}}
	for i := 0; i < v.Type().NumMethod(); i++ {
		svc.methods[v.Type().Method(i).Name] = v.Type().Method(i)
	}
	s.services.Store(name, svc)
}

// Accept serves connections until the listener is closed.
func (s *Server) Accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go s.ServeConn(conn)
	}
}

var invalidRequest = struct{}{}

// ServeConn serves one connection. As in the documents, the JSON decoder reads ahead, and what it read beyond the option
// is lost.
func (s *Server) ServeConn(conn io.ReadWriteCloser) {
	defer conn.Close()
	var opt Option
	if err := json.NewDecoder(conn).Decode(&opt); err != nil {
		log.Println("rpc server: options error:", err)
		return
	}
	if opt.MagicNumber != magicNumber {
		log.Printf("rpc server: invalid magic number %x", opt.MagicNumber)
		return
	}
	f := codecs[opt.CodecType]
	if f == nil {
		log.Printf("rpc server: invalid codec type %s", opt.CodecType)
		return
	}
	s.serveCodec(f(conn), &opt)
}

func (s *Server) serveCodec(cc Codec, opt *Option) {
	sending := new(sync.Mutex)
	wg := new(sync.WaitGroup)
	for {
		var h Header
		if err := cc.ReadHeader(&h); err != nil {
			break
		}
		svc, method, err := s.find(h.ServiceMethod)
		if err != nil {
			// The body is not read, so the next header is not one, and the connection ends.
			h.Error = err.Error()
			send(cc, &h, invalidRequest, sending)
			continue
		}
		argv := reflect.New(method.Type.In(1))
		if err := cc.ReadBody(argv.Interface()); err != nil {
			h.Error = err.Error()
			send(cc, &h, invalidRequest, sending)
			continue
		}
		wg.Add(1)
		go handle(cc, h, svc, method, argv.Elem(), sending, wg, opt.HandleTimeout)
	}
	wg.Wait()
	_ = cc.Close()
}

func handle(cc Codec, h Header, svc *service, m reflect.Method, argv reflect.Value, sending *sync.Mutex, wg *sync.WaitGroup, timeout time.Duration) {
	defer wg.Done()
	replyv := reflect.New(m.Type.In(2).Elem())
	called := make(chan error, 1)
	go func() {
		out := m.Func.Call([]reflect.Value{svc.rcvr, argv, replyv})
		err, _ := out[0].Interface().(error)
		called <- err
	}()
	var expired <-chan time.Time
	if timeout != 0 {
		expired = time.After(timeout)
	}
	select {
	case <-expired:
		h.Error = fmt.Sprintf("rpc server: request handle timeout: expect within %s", timeout)
		send(cc, &h, invalidRequest, sending)
	case err := <-called:
		if err != nil {
			h.Error = err.Error()
			send(cc, &h, invalidRequest, sending)
			return
		}
		send(cc, &h, replyv.Elem().Interface(), sending)
	}
}

func send(cc Codec, h *Header, body any, sending *sync.Mutex) {
	sending.Lock()
	defer sending.Unlock()
	if err := cc.Write(h, body); err != nil {
		log.Println("rpc server: write response error:", err)
	}
}

func (s *Server) find(name string) (*service, reflect.Method, error) {
	dot := strings.LastIndex(name, ".")
	if dot < 0 {
		return nil, reflect.Method{}, errors.New(s.family.illFormed + name)
	}
	found, ok := s.services.Load(name[:dot])
	if !ok {
		return nil, reflect.Method{}, errors.New("rpc server: can't find service " + name[:dot])
	}
	svc := found.(*service)
	method, ok := svc.methods[name[dot+1:]]
	if !ok {
		return nil, reflect.Method{}, errors.New("rpc server: can't find method " + name[dot+1:])
	}
	return svc, method, nil
}

// ServeHTTP answers CONNECT.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != "CONNECT" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = io.WriteString(w, "405 must CONNECT\n")
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.0 "+s.family.Connected+"\n\n")
	s.ServeConn(conn)
}
