package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// A line of the input: a call of one method with these arguments, in JSON. A text of `Repeat` times its length is for
// arguments too large for a line.
type command struct {
	Id      int
	Method  string
	Args    json.RawMessage
	Repeat  int
	LimitMs int
}

type outcome struct {
	Id    int    `json:"id"`
	Reply any    `json:"reply"`
	Error string `json:"error"`
	Ms    int64  `json:"ms"`
}

// run makes the calls of the input, each in a goroutine of its own, and prints what each comes to.
func run(call func(method string, args, reply any, limit time.Duration) error) {
	var printing sync.Mutex
	var wg sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			args, reply := shapeOf(c.Method)
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
			begun := time.Now()
			err := call(c.Method, args, reply, time.Duration(c.LimitMs)*time.Millisecond)
			out := outcome{Id: c.Id, Ms: time.Since(begun).Milliseconds()}
			if err != nil {
				out.Error = err.Error()
			} else if text, ok := reply.(*string); ok && len(*text) > 1000 {
				out.Reply = len(*text)
			} else {
				out.Reply = reply
			}
			line, _ := json.Marshal(out)
			printing.Lock()
			fmt.Println(string(line))
			printing.Unlock()
		}()
	}
	wg.Wait()
}
