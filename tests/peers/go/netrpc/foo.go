package main

import (
	"errors"
	"strings"
	"time"
)

type Foo int

type Args struct{ Num1, Num2 int }

func (f Foo) Sum(args Args, reply *int) error {
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

// What goes in and comes out of each, for the client of the tests.
var shapes = map[string]func() (any, any){
	"Sum":   func() (any, any) { return new(Args), new(int) },
	"Nap":   func() (any, any) { return new(Args), new(int) },
	"Fail":  func() (any, any) { return new(Args), new(int) },
	"Upper": func() (any, any) { return new(string), new(string) },
	"Half":  func() (any, any) { return new(float64), new(float64) },
	"Wrap":  func() (any, any) { return new(Item), new(Item) },
}

func shapeOf(method string) (args, reply any) {
	shape := shapes[method[strings.LastIndex(method, ".")+1:]]
	if shape == nil {
		shape = shapes["Sum"]
	}
	return shape()
}
