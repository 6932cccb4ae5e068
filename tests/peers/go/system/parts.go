package main

import (
	"context"
	"log"
	"sync"
	"time"

	"farcall/peers/gee/xclient"
	"farcall/peers/kit"
)

type outcome struct {
	Type   string `json:"type"`
	Method string `json:"method"`
	Num1   int    `json:"num1"`
	Num2   int    `json:"num2"`
	Reply  int    `json:"reply"`
	Error  string `json:"error"`
	Ms     int64  `json:"ms"`
}

// calls makes five calls of Foo.Sum at once.
func calls(client *xclient.XClient) {
	defer client.Close()
	fiveAtOnce(func(args kit.Args) {
		tell(client.Call, context.Background(), outcome{Type: "call", Method: "Foo.Sum"}, args)
	})
}

// broadcasts makes five broadcasts of Foo.Sum at once, each followed by one of Foo.Sleep, which has little time.
func broadcasts(client *xclient.XClient) {
	defer client.Close()
	fiveAtOnce(func(args kit.Args) {
		tell(client.Broadcast, context.Background(), outcome{Type: "broadcast", Method: "Foo.Sum"}, args)
		ctx, cancel := context.WithTimeout(context.Background(), *limit)
		defer cancel()
		tell(client.Broadcast, ctx, outcome{Type: "broadcast", Method: "Foo.Sleep"}, args)
	})
}

func fiveAtOnce(one func(kit.Args)) {
	var wg sync.WaitGroup
	for i := 0; i < 5; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			one(kit.Args{Num1: i, Num2: i * i})
		}()
	}
	wg.Wait()
}

type maker func(ctx context.Context, method string, args, reply any) error

func tell(make maker, ctx context.Context, of outcome, args kit.Args) {
	of.Num1, of.Num2 = args.Num1, args.Num2
	begun := time.Now()
	err := make(ctx, of.Method, &args, &of.Reply)
	of.Ms = time.Since(begun).Milliseconds()
	if err != nil {
		of.Error = err.Error()
		log.Printf("%s %s error: %v", of.Type, of.Method, err)
	} else {
		log.Printf("%s %s success: %d + %d = %d", of.Type, of.Method, args.Num1, args.Num2, of.Reply)
	}
	kit.Print(of)
}
