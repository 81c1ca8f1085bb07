package fastgob

import (
	"encoding"
	"encoding/gob"
	"reflect"
	"sync"
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

// cache holds what was made of types, for all streams.
type cache[V any] struct {
	lock sync.Mutex
	made map[reflect.Type]V
	make func(made map[reflect.Type]V, of reflect.Type) V
}

func newCache[V any](make_ func(map[reflect.Type]V, reflect.Type) V) *cache[V] {
	return &cache[V]{made: map[reflect.Type]V{}, make: make_}
}

func (c *cache[V]) of(t reflect.Type) V {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.make(c.made, t)
}
