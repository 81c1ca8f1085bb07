package fastgob

import (
	"encoding"
	"encoding/gob"
	"reflect"
)

// isSent tells whether gob has a field of a struct at all.
func isSent(field reflect.StructField) bool {
	t := field.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return field.IsExported() && t.Kind() != reflect.Chan && t.Kind() != reflect.Func
}

var own = []reflect.Type{
	reflect.TypeFor[gob.GobEncoder](), reflect.TypeFor[gob.GobDecoder](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
}

// encodesItself tells whether a type, or a pointer to it, may have an encoding of its own.
func encodesItself(t reflect.Type) bool {
	for _, encoder := range own {
		if t.Implements(encoder) || reflect.PointerTo(t).Implements(encoder) {
			return true
		}
	}
	return false
}

// isAnyMap tells whether a type is a map of texts to anything, by whatever name.
func isAnyMap(t reflect.Type) bool {
	return t.Kind() == reflect.Map && t.Key() == reflect.TypeFor[string]() && t.Elem() == reflect.TypeFor[any]()
}

type (
	signed interface {
		int | int8 | int16 | int32 | int64
	}
	unsigned interface {
		uint | uint8 | uint16 | uint32 | uint64
	}
)
