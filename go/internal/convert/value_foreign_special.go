package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// foreignToProto takes a value of a type that gob refuses inside an interface: named strings and numbers, maps and
// slices of them, structs. Mattermost's own RPC would break the connection over it, but a host in the server's
// process may well meet one. Its type is lost: named types become basic ones, structs what JSON makes of them.
func foreignToProto(in any) *pluginpb.Value {
	if err, ok := in.(error); ok {
		return registeredToProto(&plugin.ErrorString{Err: err.Error()})
	}
	value := reflect.ValueOf(in)
	switch value.Kind() {
	case reflect.Bool:
		return boolValue(value.Bool())
	case reflect.String:
		return stringValue(value.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int64Value(value.Int(), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return uint64Value(value.Uint(), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case reflect.Float32, reflect.Float64:
		return doubleValue(value.Float(), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		if value.Elem().Kind() != reflect.Struct {
			return ValueToProto(value.Elem().Interface())
		}
	case reflect.Slice, reflect.Array:
		return foreignList(value)
	case reflect.Map:
		if value.Type().Key().Kind() == reflect.String {
			return foreignMap(value)
		}
	}
	return foreignJSON(in)
}

func foreignList(value reflect.Value) *pluginpb.Value {
	if value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Uint8 {
		return bytesValue(value.Bytes())
	}
	items := make([]*pluginpb.Value, value.Len())
	for i := range items {
		items[i] = ValueElementToProto(value.Index(i).Interface())
	}
	return listValue(items, pluginpb.GoKind_GO_KIND_UNSPECIFIED)
}

func foreignMap(value reflect.Value) *pluginpb.Value {
	entries := make(map[string]*pluginpb.Value, value.Len())
	for item := value.MapRange(); item.Next(); {
		entries[item.Key().String()] = ValueElementToProto(item.Value().Interface())
	}
	return &pluginpb.Value{Kind: &pluginpb.Value_MapValue{MapValue: &pluginpb.ValueMap{Entries: entries}}}
}

func foreignJSON(in any) *pluginpb.Value {
	text, err := json.Marshal(in)
	if err != nil {
		// Functions and channels, of which nothing but a description can travel.
		return stringValue(fmt.Sprintf("%+v", in))
	}
	plain, err := DecodeJSON(text)
	if err != nil {
		return stringValue(string(text))
	}
	return ValueToProto(plain)
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
