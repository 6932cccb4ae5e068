package kit

import (
	"errors"
	"strings"
	"time"
)

// Foo is the service of the documents, with some methods more.
type Foo int

type Args struct{ Num1, Num2 int }

func (f Foo) Sum(args Args, reply *int) error {
	*reply = args.Num1 + args.Num2
	return nil
}

// Sleep sleeps Num1 seconds.
func (f Foo) Sleep(args Args, reply *int) error {
	time.Sleep(time.Duration(args.Num1) * time.Second)
	*reply = args.Num1 + args.Num2
	return nil
}

// Nap sleeps Num1 milliseconds.
func (f Foo) Nap(args Args, reply *int) error {
	time.Sleep(time.Duration(args.Num1) * time.Millisecond)
	*reply = args.Num1 + args.Num2
	return nil
}

func (f Foo) Fail(args Args, reply *int) error {
	return errors.New("fails on purpose: 100% of the time")
}

func (f Foo) Upper(text string, reply *string) error {
	*reply = strings.ToUpper(text)
	return nil
}

func (f Foo) Half(number float64, reply *float64) error {
	*reply = number / 2
	return nil
}

type Item struct {
	Name string
	Tags []string
	Size map[string]int
	Raw  []byte
	Big  uint64
	Next *Item
}

func (f Foo) Wrap(item Item, reply *Item) error {
	*reply = Item{Name: "around " + item.Name, Next: &item}
	return nil
}

// ShapeOf makes what goes into a method and what comes out of it; those that Foo does not have look like Sum.
func ShapeOf(method string) (args, reply any) {
	switch method[strings.LastIndex(method, ".")+1:] {
	case "Upper":
		return new(string), new(string)
	case "Half":
		return new(float64), new(float64)
	case "Wrap":
		return new(Item), new(Item)
	default:
		return new(Args), new(int)
	}
}

// Fill gives arguments that were made by ShapeOf the values that the fixtures have.
func Fill(args any) {
	switch a := args.(type) {
	case *Args:
		*a = Args{3, 4}
	case *string:
		*a = "übung"
	case *Item:
		*a = Item{Name: "n", Tags: []string{"a", ""}, Size: map[string]int{"k": -1}, Raw: []byte{0, 255}, Big: 1<<64 - 1}
	}
}
