// Package kit is what the programs of this module have in common: a service, clients that do what their input says,
// and recordings of what went over a connection.
package kit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Command is a line of the input: a call of one method with these arguments, in JSON. A text is repeated Repeat times,
// for arguments too large for a line. LimitMs bounds the call, where it is not 0.
type Command struct {
	Id        int
	Method    string
	Args      json.RawMessage
	Repeat    int
	LimitMs   int
	Broadcast bool
}

type outcome struct {
	Id    int    `json:"id"`
	Reply any    `json:"reply"`
	Error string `json:"error"`
	Ms    int64  `json:"ms"`
}

// Caller carries out a command whose arguments have been read.
type Caller func(ctx context.Context, c Command, args, reply any) error

// Run makes the calls of the input, each in a goroutine of its own, and prints what each comes to as a line of JSON.
func Run(call Caller) {
	var wg sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c Command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			Print(c.carryOut(call))
		}()
	}
	wg.Wait()
}

func (c Command) carryOut(call Caller) outcome {
	args, reply := ShapeOf(c.Method)
	if err := json.Unmarshal(c.Args, args); err != nil {
		panic(err)
	}
	if text, ok := args.(*string); ok && c.Repeat > 0 {
		long := make([]byte, 0, c.Repeat*len(*text))
		for i := 0; i < c.Repeat; i++ {
			long = append(long, *text...)
		}
		*text = string(long)
	}
	ctx := context.Background()
	if c.LimitMs > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(c.LimitMs)*time.Millisecond)
		defer cancel()
		ctx = limited
	}
	begun := time.Now()
	err := call(ctx, c, args, reply)
	out := outcome{Id: c.Id, Ms: time.Since(begun).Milliseconds()}
	if err != nil {
		out.Error = err.Error()
	} else if text, ok := reply.(*string); ok && len(*text) > 1000 {
		out.Reply = len(*text)
	} else {
		out.Reply = reply
	}
	return out
}

var printing sync.Mutex

// Print prints a value as a line of JSON, whole also where several goroutines print.
func Print(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}
