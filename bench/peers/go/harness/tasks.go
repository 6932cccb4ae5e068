package harness

import (
	"errors"
	"fmt"
	"strings"
)

var errWrong = errors.New("a result was wrong")

// task is the call that a load asks for; it checks what came back.
func task(caller Caller, load Load) (func(n int) error, error) {
	switch load.Operation {
	case "add":
		return func(n int) error {
			var sum int
			if err := caller.Call("Bench.Add", Pair{n, 7}, &sum); err != nil {
				return err
			}
			return check(sum == n+7)
		}, nil
	case "text":
		sent := strings.Repeat("The quick brown fox jumps. ", load.PayloadBytes/27+1)[:load.PayloadBytes]
		return func(int) error {
			var got string
			if err := caller.Call("Bench.Text", sent, &got); err != nil {
				return err
			}
			return check(got == sent)
		}, nil
	case "bytes":
		sent := make([]byte, load.PayloadBytes)
		for i := range sent {
			sent[i] = byte(i)
		}
		last := len(sent) - 1
		return func(int) error {
			var got []byte
			if err := caller.Call("Bench.Bytes", sent, &got); err != nil {
				return err
			}
			return check(len(got) == len(sent) && got[last] == sent[last])
		}, nil
	case "nested":
		sent := nestedValue()
		return func(int) error {
			var got Nested
			if err := caller.Call("Bench.Nested", sent, &got); err != nil {
				return err
			}
			return check(got.Total == 5 && len(got.Items) == 5 && got.Items[4].Id == 100_004)
		}, nil
	}
	return nil, fmt.Errorf("it cannot %s", load.Operation)
}

func check(right bool) error {
	if !right {
		return errWrong
	}
	return nil
}

func nestedValue() Nested {
	value := Nested{Total: 5, Page: 1}
	for i := 0; i < 5; i++ {
		value.Items = append(value.Items, Item{
			Id:      100_000 + i,
			Email:   fmt.Sprintf("user-%d@example.org", i),
			Name:    Name{"Grace", "Hopper"},
			Address: Address{"1 Main Street", "Arlington", "22201"},
			Roles:   []string{"admin", "author"},
			Active:  i%2 == 0,
			Balance: float64(i) * 1.25,
		})
	}
	return value
}
