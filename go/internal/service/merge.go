package service

import (
	"reflect"
	"sync"
	"time"
)

// mergeInto decodes a hook's answer into the argument it may replace, as Mattermost's own client does: what the
// answer leaves empty stays as it was, and all of it without an answer. A plugin built before a field existed would
// otherwise erase it. It returns the original.
func mergeInto[T any](original, answer *T) *T {
	if original == nil {
		return answer
	}
	if answer == nil {
		return original
	}
	merge(reflect.ValueOf(original).Elem(), reflect.ValueOf(answer).Elem())
	return original
}

func merge(original, answer reflect.Value) {
	if answer.Type() == reflect.TypeFor[time.Time]() {
		replace(original, answer)
		return
	}
	switch answer.Kind() {
	case reflect.Struct:
		for _, i := range exportedFields(answer.Type()) {
			merge(original.Field(i), answer.Field(i))
		}
	case reflect.Pointer:
		if !original.IsNil() && !answer.IsNil() && answer.Type().Elem().Kind() == reflect.Struct {
			merge(original.Elem(), answer.Elem())
			return
		}
		replace(original, answer)
	case reflect.Map:
		if original.IsNil() {
			replace(original, answer)
			return
		}
		for item := answer.MapRange(); item.Next(); {
			original.SetMapIndex(item.Key(), item.Value())
		}
	case reflect.Slice:
		if answer.Len() > 0 {
			original.Set(answer)
		}
	default:
		replace(original, answer)
	}
}

// fieldsOf remembers the exported fields of a type: to ask for them costs more than to merge them.
var fieldsOf sync.Map

func exportedFields(t reflect.Type) []int {
	if found, ok := fieldsOf.Load(t); ok {
		return found.([]int)
	}
	var fields []int
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			fields = append(fields, i)
		}
	}
	fieldsOf.Store(t, fields)
	return fields
}

func replace(original, answer reflect.Value) {
	if !answer.IsZero() {
		original.Set(answer)
	}
}
