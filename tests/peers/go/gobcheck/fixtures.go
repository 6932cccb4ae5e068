package main

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"time"
)

type Point struct{ X, Y int }

type Rect struct{ Min, Max Point }

type Circle struct {
	Radius float64
	Label  string
}

type Square struct {
	Side  int
	Inner any
}

type Drawing struct {
	Name   string
	Shape  any
	Shapes []any
	Table  map[string]any
	After  int
}

type Everything struct {
	Bool    bool
	Int     int
	Int8    int8
	Int64   int64
	Uint    uint
	Uint64  uint64
	Float32 float32
	Float64 float64
	Complex complex128
	String  string
	Bytes   []byte
	Ints    []int
	Names   []string
	Array   [3]uint8
	Grid    [2][2]int
	Ages    map[string]int
	Nested  Rect
	Pointer *Point
	Number  *int
	Chan    chan int
	Nothing any
	Any     any
	Time    time.Time
	For     time.Duration
	Blob    Blob
	Packed  Packed
}

type Base struct{ ID int }

type Derived struct {
	Base
	Title string
}

// The messages of net/rpc and geerpc.

type RequestHeader struct {
	ServiceMethod string
	Seq           uint64
}

type Response struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

type Args struct{ Num1, Num2 int }

type Empty struct{}

// Before and after a field came and another went.
type PersonV1 struct {
	Name string
	Age  int
}

type PersonV2 struct {
	Email string
	Name  string
	Tags  []string
}

func printFixtures() {
	gob.Register(Point{})
	gob.Register(Circle{})
	gob.Register(&Square{})
	gob.Register(time.Time{})
	gob.Register([]any{})
	gob.Register(map[string]any{})
	gob.RegisterName("shapes.Rect", Rect{})

	seven := 7
	when := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	var shape any = Circle{2, "c"}
	deep := &Square{1, &Square{2, &Square{3, Circle{1, ""}}}}

	type fixture struct {
		name   string
		values []any
	}
	table := []fixture{
		{"point", []any{Point{22, 33}, Point{0, 1}, Point{}}},
		{"ints", []any{0, 1, -1, 63, 64, -64, -65, 127, 128, -129, 1 << 20, 1 << 31, -(1 << 31), 1<<53 - 1, 1 << 53, -(1 << 53), math.MaxInt64, math.MinInt64}},
		{"uints", []any{uint(0), uint(127), uint(128), uint(255), uint(256), uint(65535), uint(1 << 24), uint32(math.MaxUint32), uint64(1 << 32), uint64(1<<53 - 1), uint64(1 << 53), uint64(math.MaxUint64)}},
		{"floats", []any{0.0, 1.0, -1.0, 17.0, 0.1, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), float32(0.5)}},
		{"complexes", []any{complex(0, 0), complex(1, -2), complex64(complex(0.5, 0.25))}},
		{"bools", []any{true, false}},
		{"strings", []any{"", "a", "héllo, wörld", "日本語 🎉", string(bytes.Repeat([]byte("x"), 300)), "\x00"}},
		{"bytes", []any{[]byte{}, []byte{1, 2, 3}, bytes.Repeat([]byte{7}, 200)}},
		{"slices", []any{[]int{}, []int{1, -2, 3}, []string{"", "b"}, [][]int{{1}, {}, {2, 3}}, []float64{0.5}, []bool{true, false}, []Point{{1, 2}, {}}, []*Point{{3, 4}}}},
		{"arrays", []any{[3]int{1, 2, 3}, [2]string{"a", ""}, [4]byte{1, 2, 3, 255}, [0]int{}, [2][2]uint{{1, 2}, {3, 4}}}},
		{"maps", []any{map[string]int{"a": 1}, map[string]int{}, map[int]string{-5: "x"}, map[Point][]string{{1, 2}: {"p"}}, map[bool]map[string]float64{true: {"q": 0.25}}}},
		{"rect", []any{Rect{Point{1, 2}, Point{3, 4}}, Rect{}, Rect{Max: Point{Y: 5}}}},
		{"everything", []any{Everything{
			true, -5, -128, math.MinInt64, 9, math.MaxUint64, 0.5, 1e100, complex(1, 2), "text", []byte("bytes"),
			[]int{1, 2}, []string{"n"}, [3]uint8{1, 2, 3}, [2][2]int{{1, 2}, {3, 4}}, map[string]int{"k": 7},
			Rect{Point{1, 2}, Point{3, 4}}, &Point{5, 6}, &seven, make(chan int), nil, "any", when, 1500 * time.Millisecond,
			Blob{[]byte{9, 8}}, Packed{[]byte{7}},
		}, Everything{}}},
		{"node", []any{Node{1, &Node{2, &Node{0, nil}}}}},
		{"tree", []any{Tree{"root", []Tree{{"kid", nil, nil}}, map[string]*Tree{"a": {"attr", nil, nil}}}}},
		{"mutual", []any{Left{"l", &Right{3, []Left{{"m", nil}}}}}},
		{"lists", []any{Lists{{}, {{}, {}}}}},
		{"embedded", []any{Derived{Base{5}, "t"}}},
		{"interface-known", []any{Point{1, 2}, Drawing{Name: "d", Shape: Point{3, 4}, After: 5}}},
		{"interface-new", []any{Drawing{Name: "d", Shape: Circle{2.5, "c"}, After: 5}, Drawing{Shape: Circle{1, ""}, After: 6}}},
		{"interface-nested", []any{Drawing{Shape: deep, After: 7}}},
		{"interface-slice", []any{Drawing{Shapes: []any{1, "two", nil, 3.5, Circle{1, "x"}, Point{1, 2}, Rect{Max: Point{1, 1}}, []any{true, uint(7)}}, After: 8}}},
		{"interface-map", []any{Drawing{Table: map[string]any{"k": map[string]any{"inner": []string{"s"}}}, After: 9}, 42}},
		{"interface-top", []any{&shape}},
		{"time", []any{when, time.Time{}, time.Date(1969, 12, 31, 23, 59, 59, 999_000_000, time.FixedZone("x", 3600)), time.Date(2000, 1, 1, 0, 0, 0, 0, time.FixedZone("y", 90))}},
		{"duration", []any{1500 * time.Millisecond}},
		{"rpc-requests", []any{RequestHeader{"Foo.Sum", 0}, Args{1, 2}, RequestHeader{"Foo.Sum", 1}, Args{0, -7}}},
		{"rpc-responses", []any{Response{"Foo.Sum", 1, ""}, 3, Response{"Foo.Sum", 2, "rpc: boom"}, Empty{}, Response{"Foo.Sum", 3, ""}, 0}},
		{"person-v1", []any{PersonV1{"Ann", 30}}},
		{"person-v2", []any{PersonV2{"a@example.org", "Ann", []string{"x"}}}},
	}
	streams := map[string]string{}
	for _, each := range table {
		var buffer bytes.Buffer
		encoder := gob.NewEncoder(&buffer)
		for _, value := range each.values {
			if err := encoder.Encode(value); err != nil {
				panic(each.name + ": " + err.Error())
			}
		}
		streams[each.name] = hex.EncodeToString(buffer.Bytes())
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(streams); err != nil {
		panic(err)
	}
}
