package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"
)

// Request is a stream of values, with the types to decode them into; a nil type skips a value.
type Request struct {
	Register []Field `json:"register"`
	Types    []*Spec `json:"types"`
	Stream   []byte  `json:"stream"`
}

// Answer tells what was decoded, in words that our side has too, and the same values encoded by Go.
type Answer struct {
	Values []string `json:"values"`
	Stream []byte   `json:"stream"`
	Error  string   `json:"error"`
}

func answerRequests() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var request Request
		answer := Answer{Values: []string{}}
		if err := json.Unmarshal(line, &request); err != nil {
			answer.Error = err.Error()
		} else {
			answer.fill(&request)
		}
		if out.Encode(answer) != nil {
			return
		}
	}
}

func (a *Answer) fill(request *Request) {
	defer func() {
		if thrown := recover(); thrown != nil {
			a.Error = fmt.Sprint("panic: ", thrown)
		}
	}()
	for _, field := range request.Register {
		register(field.Name, field.Type.reflectType())
	}
	input := bytes.NewReader(request.Stream)
	decoder := gob.NewDecoder(input)
	var output bytes.Buffer
	encoder := gob.NewEncoder(&output)
	for i, spec := range request.Types {
		if spec == nil {
			if err := decoder.DecodeValue(reflect.Value{}); err != nil {
				a.Error = fmt.Sprintf("value %d, skipped: %v", i, err)
				return
			}
			continue
		}
		target := reflect.New(spec.reflectType())
		if err := decoder.DecodeValue(target); err != nil {
			a.Error = fmt.Sprintf("value %d: %v", i, err)
			return
		}
		var text strings.Builder
		tell(&text, target.Elem())
		a.Values = append(a.Values, text.String())
		if err := encoder.EncodeValue(target); err != nil {
			a.Error = fmt.Sprintf("encoding value %d: %v", i, err)
			return
		}
	}
	if input.Len() > 0 {
		a.Error = fmt.Sprintf("%d bytes are left", input.Len())
	}
	a.Stream = output.Bytes()
}

func tell(text *strings.Builder, v reflect.Value) {
	switch special := v.Interface().(type) {
	case time.Time:
		fmt.Fprintf(text, "t%d", special.UnixMilli())
		return
	case Blob:
		text.WriteString("o" + hex.EncodeToString(special.bytes))
		return
	case Packed:
		text.WriteString("o" + hex.EncodeToString(special.bytes))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		fmt.Fprintf(text, "%t", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		fmt.Fprintf(text, "i%d", v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		fmt.Fprintf(text, "u%d", v.Uint())
	case reflect.Float32, reflect.Float64:
		fmt.Fprintf(text, "f%016x", math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		c := v.Complex()
		fmt.Fprintf(text, "c%016x%016x", math.Float64bits(real(c)), math.Float64bits(imag(c)))
	case reflect.String:
		text.WriteString("s" + hex.EncodeToString([]byte(v.String())))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			text.WriteString("b" + hex.EncodeToString(v.Bytes()))
			return
		}
		tellAll(text, v)
	case reflect.Array:
		tellAll(text, v)
	case reflect.Map:
		var entries []string
		for _, key := range v.MapKeys() {
			var entry strings.Builder
			tell(&entry, key)
			entry.WriteString(":")
			tell(&entry, v.MapIndex(key))
			entries = append(entries, entry.String())
		}
		sort.Strings(entries)
		text.WriteString("{" + strings.Join(entries, ",") + "}")
	case reflect.Struct:
		text.WriteString("<")
		for i := range v.NumField() {
			tell(text, v.Field(i))
			text.WriteString(";")
		}
		text.WriteString(">")
	case reflect.Pointer:
		if v.IsNil() {
			text.WriteString("nil")
			return
		}
		tell(text, v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			text.WriteString("nil")
			return
		}
		text.WriteString("@" + nameOf(v.Elem().Type()) + "=")
		tell(text, v.Elem())
	default:
		panic("cannot tell " + v.Kind().String())
	}
}

func tellAll(text *strings.Builder, v reflect.Value) {
	text.WriteString("[")
	for i := range v.Len() {
		tell(text, v.Index(i))
		text.WriteString(",")
	}
	text.WriteString("]")
}
