package main

import (
	"encoding/gob"
	"fmt"
	"reflect"
	"time"
)

// Spec describes a Go type.
type Spec struct {
	Kind   string  `json:"kind"`
	Name   string  `json:"name"`
	Length int     `json:"length"`
	Key    *Spec   `json:"key"`
	Elem   *Spec   `json:"elem"`
	Fields []Field `json:"fields"`
}

// Field is one field of a struct.
type Field struct {
	Name string `json:"name"`
	Type *Spec  `json:"type"`
}

// Types that contain themselves cannot be made by reflection.
type Node struct {
	Value int
	Next  *Node
}

type Tree struct {
	Label string
	Kids  []Tree
	Attrs map[string]*Tree
}

type Left struct {
	Name  string
	Right *Right
}

type Right struct {
	Size uint
	Left []Left
}

type Lists []Lists

type Maps map[string]Maps

// Blob makes its own bytes.
type Blob struct{ bytes []byte }

func (b Blob) GobEncode() ([]byte, error) { return b.bytes, nil }

func (b *Blob) GobDecode(data []byte) error {
	b.bytes = append([]byte(nil), data...)
	return nil
}

// Packed makes its own bytes by the other method.
type Packed struct{ bytes []byte }

func (p Packed) MarshalBinary() ([]byte, error) { return p.bytes, nil }

func (p *Packed) UnmarshalBinary(data []byte) error {
	p.bytes = append([]byte(nil), data...)
	return nil
}

var basics = map[string]reflect.Type{
	"bool": reflect.TypeFor[bool](), "string": reflect.TypeFor[string](), "bytes": reflect.TypeFor[[]byte](),
	"int": reflect.TypeFor[int](), "int8": reflect.TypeFor[int8](), "int16": reflect.TypeFor[int16](),
	"int32": reflect.TypeFor[int32](), "int64": reflect.TypeFor[int64](),
	"uint": reflect.TypeFor[uint](), "uint8": reflect.TypeFor[uint8](), "uint16": reflect.TypeFor[uint16](),
	"uint32": reflect.TypeFor[uint32](), "uint64": reflect.TypeFor[uint64](), "uintptr": reflect.TypeFor[uintptr](),
	"float32": reflect.TypeFor[float32](), "float64": reflect.TypeFor[float64](),
	"complex64": reflect.TypeFor[complex64](), "complex128": reflect.TypeFor[complex128](),
	"duration": reflect.TypeFor[time.Duration](), "time": reflect.TypeFor[time.Time](),
	"interface": reflect.TypeFor[any](), "blob": reflect.TypeFor[Blob](), "packed": reflect.TypeFor[Packed](),
	"Node": reflect.TypeFor[Node](), "Tree": reflect.TypeFor[Tree](), "Left": reflect.TypeFor[Left](),
	"Right": reflect.TypeFor[Right](), "Lists": reflect.TypeFor[Lists](), "Maps": reflect.TypeFor[Maps](),
}

func (s *Spec) reflectType() reflect.Type {
	switch s.Kind {
	case "slice":
		return reflect.SliceOf(s.Elem.reflectType())
	case "array":
		return reflect.ArrayOf(s.Length, s.Elem.reflectType())
	case "map":
		return reflect.MapOf(s.Key.reflectType(), s.Elem.reflectType())
	case "pointer":
		return reflect.PointerTo(s.Elem.reflectType())
	case "struct":
		var fields []reflect.StructField
		for _, field := range s.Fields {
			fields = append(fields, reflect.StructField{Name: field.Name, Type: field.Type.reflectType()})
		}
		return reflect.StructOf(fields)
	}
	if t, ok := basics[s.Kind]; ok {
		return t
	}
	if t, ok := basics[s.Name]; ok && s.Kind == "ref" {
		return t
	}
	panic(fmt.Sprintf("unknown kind %q", s.Kind))
}

var (
	registered = map[string]bool{}
	names      = map[reflect.Type]string{}
)

func register(name string, t reflect.Type) {
	if !registered[name] {
		registered[name] = true
		names[t] = name
		gob.RegisterName(name, reflect.Zero(t).Interface())
	}
}

func nameOf(t reflect.Type) string {
	if name, ok := names[t]; ok {
		return name
	}
	return t.String()
}
