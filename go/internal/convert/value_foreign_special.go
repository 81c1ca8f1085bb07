package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/mattermost/mattermost/server/public/plugin"
)

// appendForeign appends a value of a type that gob refuses inside an interface: named strings and numbers, maps and
// slices of them, structs. Mattermost's own RPC would break the connection over it, but a host in the server's process
// may well meet one. Its type is lost: named types become basic ones, structs what JSON makes of them.
func appendForeign(b []byte, in any) []byte {
	if err, ok := in.(error); ok {
		return AppendValue(b, &plugin.ErrorString{Err: err.Error()})
	}
	value := reflect.ValueOf(in)
	switch value.Kind() {
	case reflect.Bool:
		return AppendValue(b, value.Bool())
	case reflect.String:
		return AppendValue(b, value.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return AppendValue(b, value.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return AppendValue(b, value.Uint())
	case reflect.Float32, reflect.Float64:
		return AppendValue(b, value.Float())
	case reflect.Pointer:
		if value.IsNil() {
			return b
		}
		if value.Elem().Kind() != reflect.Struct {
			return AppendValue(b, value.Elem().Interface())
		}
	case reflect.Slice, reflect.Array:
		return AppendValue(b, foreignList(value))
	case reflect.Map:
		if value.Type().Key().Kind() == reflect.String {
			return AppendValue(b, foreignMap(value))
		}
	}
	return AppendValue(b, foreignJSON(in))
}

func foreignList(value reflect.Value) any {
	if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Uint8 {
		return value.Bytes()
	}
	items := make([]any, value.Len())
	for i := range items {
		items[i] = value.Index(i).Interface()
	}
	return items
}

func foreignMap(value reflect.Value) map[string]any {
	entries := make(map[string]any, value.Len())
	for item := value.MapRange(); item.Next(); {
		entries[item.Key().String()] = item.Value().Interface()
	}
	return entries
}

func foreignJSON(in any) any {
	text, err := json.Marshal(in)
	if err != nil {
		// Functions and channels, of which nothing but a description can travel.
		return fmt.Sprintf("%+v", in)
	}
	plain, err := DecodeJSON(text)
	if err != nil {
		return string(text)
	}
	return plain
}

// DecodeJSON decodes a JSON text into plain values whose integers stay integers, where encoding/json would make
// every number a float64.
func DecodeJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var out any
	if err := decoder.Decode(&out); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	return withNumbers(out)
}

func withNumbers(in any) (any, error) {
	var err error
	switch value := in.(type) {
	case json.Number:
		if whole, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
			return whole, nil
		}
		if whole, err := strconv.ParseUint(value.String(), 10, 64); err == nil {
			return whole, nil
		}
		number, err := value.Float64()
		if err != nil {
			return nil, fmt.Errorf("decode JSON: %w", err)
		}
		return number, nil
	case []any:
		for i, item := range value {
			if value[i], err = withNumbers(item); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key, item := range value {
			if value[key], err = withNumbers(item); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}
