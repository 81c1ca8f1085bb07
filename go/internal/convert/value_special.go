package convert

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"
)

// ValueToProto takes what an interface holds to its message: the types that gob carries inside one, each with the
// kind that tells it from its neighbours. Other types are taken by what they are made of, see foreignToProto.
func ValueToProto(in any) *pluginpb.Value {
	if in == nil {
		return nil
	}
	switch value := in.(type) {
	case string:
		return stringValue(value)
	case bool:
		return boolValue(value)
	case int64:
		return int64Value(value, pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case float64:
		return doubleValue(value, pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case map[string]any:
		return mapValue(value)
	case []any:
		return listValue(ListOf(value, ValueElementToProto), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case []byte:
		return &pluginpb.Value{Kind: &pluginpb.Value_BytesValue{BytesValue: value}}
	case int:
		return int64Value(int64(value), pluginpb.GoKind_GO_KIND_INT)
	case int8:
		return int64Value(int64(value), pluginpb.GoKind_GO_KIND_INT8)
	case int16:
		return int64Value(int64(value), pluginpb.GoKind_GO_KIND_INT16)
	case int32:
		return int64Value(int64(value), pluginpb.GoKind_GO_KIND_INT32)
	case uint:
		return uint64Value(uint64(value), pluginpb.GoKind_GO_KIND_UINT)
	case uint8:
		return uint64Value(uint64(value), pluginpb.GoKind_GO_KIND_UINT8)
	case uint16:
		return uint64Value(uint64(value), pluginpb.GoKind_GO_KIND_UINT16)
	case uint32:
		return uint64Value(uint64(value), pluginpb.GoKind_GO_KIND_UINT32)
	case uint64:
		return uint64Value(value, pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case uintptr:
		return uint64Value(uint64(value), pluginpb.GoKind_GO_KIND_UINTPTR)
	case float32:
		return doubleValue(float64(value), pluginpb.GoKind_GO_KIND_FLOAT32)
	case complex64:
		return complexValue(complex128(value), pluginpb.GoKind_GO_KIND_COMPLEX64)
	case complex128:
		return complexValue(value, pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	case time.Time:
		return &pluginpb.Value{Kind: &pluginpb.Value_TimeValue{TimeValue: timestamppb.New(value)}}
	case map[string]string:
		return stringMapValue(value)
	}
	if out := sliceToProto(in); out != nil {
		return out
	}
	if out := registeredToProto(in); out != nil {
		return out
	}
	return foreignToProto(in)
}

// ValueElementToProto is ValueToProto for the elements of lists and maps, where nil needs a message too.
func ValueElementToProto(in any) *pluginpb.Value {
	if out := ValueToProto(in); out != nil {
		return out
	}
	return &pluginpb.Value{}
}

// ValueFromProto is the way back of ValueToProto. A message without a case is nil.
func ValueFromProto(in *pluginpb.Value) any {
	if in == nil {
		return nil
	}
	switch kind := in.Kind.(type) {
	case nil:
		return nil
	case *pluginpb.Value_StringValue:
		return kind.StringValue
	case *pluginpb.Value_BoolValue:
		return kind.BoolValue
	case *pluginpb.Value_Int64Value:
		return signedFromProto(kind.Int64Value, in.GoKind)
	case *pluginpb.Value_Uint64Value:
		return unsignedFromProto(kind.Uint64Value, in.GoKind)
	case *pluginpb.Value_DoubleValue:
		if in.GoKind == pluginpb.GoKind_GO_KIND_FLOAT32 {
			return float32(kind.DoubleValue)
		}
		return kind.DoubleValue
	case *pluginpb.Value_BytesValue:
		return kind.BytesValue
	case *pluginpb.Value_MapValue:
		return mapFromProto(kind.MapValue, in.GoKind)
	case *pluginpb.Value_ListValue:
		return listFromProto(kind.ListValue.GetItems(), in.GoKind)
	case *pluginpb.Value_TimeValue:
		return kind.TimeValue.AsTime()
	case *pluginpb.Value_ComplexValue:
		value := complex(kind.ComplexValue.GetReal(), kind.ComplexValue.GetImaginary())
		if in.GoKind == pluginpb.GoKind_GO_KIND_COMPLEX64 {
			return complex64(value)
		}
		return value
	}
	return registeredFromProto(in)
}

// Each of the following makes the message and its case in one allocation, which is what Props mostly consist of.

func stringValue(value string) *pluginpb.Value {
	out := &struct {
		message pluginpb.Value
		kind    pluginpb.Value_StringValue
	}{}
	out.kind.StringValue = value
	out.message.Kind = &out.kind
	return &out.message
}

func boolValue(value bool) *pluginpb.Value {
	out := &struct {
		message pluginpb.Value
		kind    pluginpb.Value_BoolValue
	}{}
	out.kind.BoolValue = value
	out.message.Kind = &out.kind
	return &out.message
}

func int64Value(value int64, goKind pluginpb.GoKind) *pluginpb.Value {
	out := &struct {
		message pluginpb.Value
		kind    pluginpb.Value_Int64Value
	}{}
	out.kind.Int64Value = value
	out.message.Kind = &out.kind
	out.message.GoKind = goKind
	return &out.message
}

func uint64Value(value uint64, goKind pluginpb.GoKind) *pluginpb.Value {
	return &pluginpb.Value{Kind: &pluginpb.Value_Uint64Value{Uint64Value: value}, GoKind: goKind}
}

func doubleValue(value float64, goKind pluginpb.GoKind) *pluginpb.Value {
	out := &struct {
		message pluginpb.Value
		kind    pluginpb.Value_DoubleValue
	}{}
	out.kind.DoubleValue = value
	out.message.Kind = &out.kind
	out.message.GoKind = goKind
	return &out.message
}

func complexValue(value complex128, goKind pluginpb.GoKind) *pluginpb.Value {
	number := &pluginpb.Complex{Real: real(value), Imaginary: imag(value)}
	return &pluginpb.Value{Kind: &pluginpb.Value_ComplexValue{ComplexValue: number}, GoKind: goKind}
}

func mapValue(value map[string]any) *pluginpb.Value {
	entries := MapOf[string](value, ValueElementToProto)
	return &pluginpb.Value{Kind: &pluginpb.Value_MapValue{MapValue: &pluginpb.ValueMap{Entries: entries}}}
}

func stringMapValue(value map[string]string) *pluginpb.Value {
	entries := MapOf[string](value, stringValue)
	return &pluginpb.Value{
		Kind:   &pluginpb.Value_MapValue{MapValue: &pluginpb.ValueMap{Entries: entries}},
		GoKind: pluginpb.GoKind_GO_KIND_STRING_MAP,
	}
}

func listValue(items []*pluginpb.Value, goKind pluginpb.GoKind) *pluginpb.Value {
	return &pluginpb.Value{
		Kind:   &pluginpb.Value_ListValue{ListValue: &pluginpb.ValueList{Items: items}},
		GoKind: goKind,
	}
}

// signedFromProto returns the number as the kind it had, or as an int64 if a new value does not fit that any more.
func signedFromProto(value int64, goKind pluginpb.GoKind) any {
	switch {
	case goKind == pluginpb.GoKind_GO_KIND_INT && int64(int(value)) == value:
		return int(value)
	case goKind == pluginpb.GoKind_GO_KIND_INT8 && int64(int8(value)) == value:
		return int8(value)
	case goKind == pluginpb.GoKind_GO_KIND_INT16 && int64(int16(value)) == value:
		return int16(value)
	case goKind == pluginpb.GoKind_GO_KIND_INT32 && int64(int32(value)) == value:
		return int32(value)
	}
	return value
}

// unsignedFromProto is signedFromProto for unsigned numbers.
func unsignedFromProto(value uint64, goKind pluginpb.GoKind) any {
	switch {
	case goKind == pluginpb.GoKind_GO_KIND_UINT && uint64(uint(value)) == value:
		return uint(value)
	case goKind == pluginpb.GoKind_GO_KIND_UINT8 && uint64(uint8(value)) == value:
		return uint8(value)
	case goKind == pluginpb.GoKind_GO_KIND_UINT16 && uint64(uint16(value)) == value:
		return uint16(value)
	case goKind == pluginpb.GoKind_GO_KIND_UINT32 && uint64(uint32(value)) == value:
		return uint32(value)
	case goKind == pluginpb.GoKind_GO_KIND_UINTPTR && uint64(uintptr(value)) == value:
		return uintptr(value)
	}
	return value
}

func mapFromProto(in *pluginpb.ValueMap, goKind pluginpb.GoKind) any {
	if goKind == pluginpb.GoKind_GO_KIND_STRING_MAP {
		return MapOf[string](in.GetEntries(), (*pluginpb.Value).GetStringValue)
	}
	out := make(map[string]any, len(in.GetEntries()))
	for key, item := range in.GetEntries() {
		out[key] = ValueFromProto(item)
	}
	return out
}
