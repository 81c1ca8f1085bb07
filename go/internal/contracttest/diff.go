package contracttest

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Diff returns where two values differ, nothing if they are equal as gob has it: an empty slice or map equals a nil
// one, times are instants, and of structs only the fields that travel are compared. What an interface holds must be
// of the same type on both sides.
func Diff(a, b any) []string {
	return diff("", reflect.ValueOf(a), reflect.ValueOf(b))
}

func diff(path string, a, b reflect.Value) []string {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return []string{fmt.Sprintf("%s: %s is not %s", path, typeName(a), typeName(b))}
	}
	if !a.IsValid() {
		return nil
	}
	if a.Type() == timeType {
		if first, second := a.Interface().(time.Time), b.Interface().(time.Time); !first.Equal(second) {
			return []string{fmt.Sprintf("%s: %s is not %s", path, first, second)}
		}
		return nil
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return diffNil(path, a, b)
		}
		if a.Kind() == reflect.Pointer && a.Pointer() == b.Pointer() {
			return nil
		}
		return diff(path, a.Elem(), b.Elem())
	case reflect.Struct:
		return diffStructs(path, a, b)
	case reflect.Slice, reflect.Array:
		return diffSlices(path, a, b)
	case reflect.Map:
		return diffMaps(path, a, b)
	}
	if !a.Equal(b) {
		return []string{fmt.Sprintf("%s: %#v is not %#v", path, a, b)}
	}
	return nil
}

func diffNil(path string, a, b reflect.Value) []string {
	if a.IsNil() == b.IsNil() {
		return nil
	}
	return []string{fmt.Sprintf("%s: nil on one side only (%t, %t)", path, a.IsNil(), b.IsNil())}
}

func diffStructs(path string, a, b reflect.Value) []string {
	var found []string
	for i := range a.NumField() {
		if field := a.Type().Field(i); Travels(field) {
			found = append(found, diff(path+"."+field.Name, a.Field(i), b.Field(i))...)
		}
	}
	return found
}

func diffSlices(path string, a, b reflect.Value) []string {
	if a.Len() != b.Len() {
		return []string{fmt.Sprintf("%s: length %d is not %d", path, a.Len(), b.Len())}
	}
	var found []string
	for i := range a.Len() {
		found = append(found, diff(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))...)
	}
	return found
}

func diffMaps(path string, a, b reflect.Value) []string {
	var found []string
	if a.Len() != b.Len() {
		found = append(found, fmt.Sprintf("%s: length %d is not %d", path, a.Len(), b.Len()))
	}
	keys := a.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int {
		if fmt.Sprint(x) < fmt.Sprint(y) {
			return -1
		}
		return 1
	})
	for _, key := range keys {
		place := fmt.Sprintf("%s[%#v]", path, key)
		if other := b.MapIndex(key); other.IsValid() {
			found = append(found, diff(place, a.MapIndex(key), other)...)
		} else {
			found = append(found, place+": on one side only")
		}
	}
	return found
}

func typeName(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}
