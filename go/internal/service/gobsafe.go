package service

import (
	"reflect"
	"sync"
	"time"
)

// makeGobSafe replaces, in what a pointer points to, values inside interfaces that gob does not carry there by ones
// it does: a time by its text, a map of strings by a map of interfaces, as JSON would make them. A plugin may well
// put one into the props of a post. Mattermost's RPC cannot answer it with an error: once gob has refused a value, the
// two ends of its connection do not understand each other any more.
func makeGobSafe(pointer any) {
	makeSafe(reflect.ValueOf(pointer))
}

func makeSafe(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && holdsAny(v.Type().Elem()) {
			makeSafe(v.Elem())
		}
	case reflect.Struct:
		for _, field := range fieldsHoldingAny(v.Type()) {
			makeSafe(v.Field(field))
		}
	case reflect.Slice:
		if v.Len() > 0 && holdsAny(v.Type().Elem()) {
			for i := range v.Len() {
				makeSafe(v.Index(i))
			}
		}
	case reflect.Map:
		if v.Len() > 0 && holdsAny(v.Type().Elem()) {
			makeMapSafe(v)
		}
	case reflect.Interface:
		if v.NumMethod() == 0 && !v.IsNil() {
			if safe, changed := safeValue(v.Interface()); changed {
				v.Set(reflect.ValueOf(safe))
			}
		}
	}
}

// makeMapSafe does it for a map, whose values cannot be changed in place.
func makeMapSafe(v reflect.Value) {
	for item := v.MapRange(); item.Next(); {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(item.Value())
		makeSafe(value)
		if value.Kind() != reflect.Pointer {
			v.SetMapIndex(item.Key(), value)
		}
	}
}

// safeValue returns what is sent instead of a value inside an interface, and whether it is another one.
func safeValue(in any) (any, bool) {
	switch value := in.(type) {
	case string, bool, int, int64, float64:
		return in, false
	case time.Time:
		return value.Format(time.RFC3339Nano), true
	case map[string]string:
		out := make(map[string]any, len(value))
		for key, text := range value {
			out[key] = text
		}
		return out, true
	case map[string]any:
		for key, item := range value {
			if safe, changed := safeValue(item); changed {
				value[key] = safe
			}
		}
		return in, false
	case []any:
		for i, item := range value {
			if safe, changed := safeValue(item); changed {
				value[i] = safe
			}
		}
		return in, false
	}
	makeSafe(reflect.ValueOf(in)) // one of the registered types: a pointer or a slice
	return in, false
}

// holding remembers for each type whether there is an interface in it, holdingFields for each struct in which
// fields.
var holding, holdingFields sync.Map

func holdsAny(t reflect.Type) bool {
	if known, ok := holding.Load(t); ok {
		return known.(bool)
	}
	found := searchAny(t, map[reflect.Type]bool{})
	holding.Store(t, found)
	return found
}

func searchAny(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return searchAny(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if field.IsExported() && searchAny(field.Type, seen) {
				return true
			}
		}
	}
	return false
}

func fieldsHoldingAny(t reflect.Type) []int {
	if known, ok := holdingFields.Load(t); ok {
		return known.([]int)
	}
	var found []int
	for i := range t.NumField() {
		if field := t.Field(i); field.IsExported() && holdsAny(field.Type) {
			found = append(found, i)
		}
	}
	holdingFields.Store(t, found)
	return found
}
