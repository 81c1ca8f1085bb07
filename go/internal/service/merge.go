package service

import (
	"reflect"
	"time"
)

// mergeInto decodes a hook's answer into the argument it may replace, as Mattermost's own client does: what the
// answer leaves empty stays as it was. A plugin built before a field existed would otherwise erase it. It returns the
// original, or nil for no answer.
func mergeInto[T any](original, answer *T) *T {
	if answer == nil || original == nil {
		return answer
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
		for i := range answer.NumField() {
			if answer.Type().Field(i).IsExported() {
				merge(original.Field(i), answer.Field(i))
			}
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

func replace(original, answer reflect.Value) {
	if !answer.IsZero() {
		original.Set(answer)
	}
}
