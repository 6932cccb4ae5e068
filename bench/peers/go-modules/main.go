// The Go peers that need modules: grpc-go. The messages are well-known ones with the shape that is needed, so that no
// code has to be generated: a Duration is a pair of two numbers.
package main

import (
	"context"
	"fmt"
	"net"

	"farcall.bench/peers/harness"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	harness.Main(map[string]harness.Variant{"grpc": {Serve: serve, Dial: dial}})
}

func unary[In any](name string, handle func(*In) any) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(In)
			if err := decode(in); err != nil {
				return nil, err
			}
			return handle(in), nil
		},
	}
}

func serve(listener net.Listener) {
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Bench",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Add", func(in *durationpb.Duration) any { return wrapperspb.Int64(in.Seconds + int64(in.Nanos)) }),
			unary("Text", func(in *wrapperspb.StringValue) any { return in }),
			unary("Bytes", func(in *wrapperspb.BytesValue) any { return in }),
		},
	}, struct{}{})
	server.Serve(listener)
}

type client struct{ conn *grpc.ClientConn }

func dial(address string) (harness.Caller, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return client{conn}, err
}

func (c client) Call(method string, args, reply any) error {
	ctx := context.Background()
	switch in := args.(type) {
	case harness.Pair:
		var out wrapperspb.Int64Value
		err := c.conn.Invoke(ctx, "/bench.Bench/Add", &durationpb.Duration{Seconds: int64(in.A), Nanos: int32(in.B)}, &out)
		*reply.(*int) = int(out.Value)
		return err
	case string:
		var out wrapperspb.StringValue
		err := c.conn.Invoke(ctx, "/bench.Bench/Text", wrapperspb.String(in), &out)
		*reply.(*string) = out.Value
		return err
	case []byte:
		var out wrapperspb.BytesValue
		err := c.conn.Invoke(ctx, "/bench.Bench/Bytes", wrapperspb.Bytes(in), &out)
		*reply.(*[]byte) = out.Value
		return err
	}
	return fmt.Errorf("%s is not there", method)
}
