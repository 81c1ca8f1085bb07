package convert

import "github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"

// sliceToProto takes a slice of a basic type, which gob carries inside an interface too, to a list whose kind says
// which. It returns nil for anything else.
func sliceToProto(in any) *pluginpb.Value {
	switch value := in.(type) {
	case []string:
		return listValue(ListOf(value, stringValue), pluginpb.GoKind_GO_KIND_STRING_SLICE)
	case []bool:
		return listValue(ListOf(value, boolValue), pluginpb.GoKind_GO_KIND_BOOL_SLICE)
	case []int:
		return signedList(value, pluginpb.GoKind_GO_KIND_INT_SLICE)
	case []int8:
		return signedList(value, pluginpb.GoKind_GO_KIND_INT8_SLICE)
	case []int16:
		return signedList(value, pluginpb.GoKind_GO_KIND_INT16_SLICE)
	case []int32:
		return signedList(value, pluginpb.GoKind_GO_KIND_INT32_SLICE)
	case []int64:
		return signedList(value, pluginpb.GoKind_GO_KIND_INT64_SLICE)
	case []uint:
		return unsignedList(value, pluginpb.GoKind_GO_KIND_UINT_SLICE)
	case []uint16:
		return unsignedList(value, pluginpb.GoKind_GO_KIND_UINT16_SLICE)
	case []uint32:
		return unsignedList(value, pluginpb.GoKind_GO_KIND_UINT32_SLICE)
	case []uint64:
		return unsignedList(value, pluginpb.GoKind_GO_KIND_UINT64_SLICE)
	case []uintptr:
		return unsignedList(value, pluginpb.GoKind_GO_KIND_UINTPTR_SLICE)
	case []float32:
		return floatList(value, pluginpb.GoKind_GO_KIND_FLOAT32_SLICE)
	case []float64:
		return floatList(value, pluginpb.GoKind_GO_KIND_FLOAT64_SLICE)
	case []complex64:
		return complexList(value, pluginpb.GoKind_GO_KIND_COMPLEX64_SLICE)
	case []complex128:
		return complexList(value, pluginpb.GoKind_GO_KIND_COMPLEX128_SLICE)
	}
	return nil
}

// listFromProto is the way back of sliceToProto; without a kind the list is a []any.
func listFromProto(in []*pluginpb.Value, goKind pluginpb.GoKind) any {
	switch goKind {
	case pluginpb.GoKind_GO_KIND_STRING_SLICE:
		return ListOf(in, (*pluginpb.Value).GetStringValue)
	case pluginpb.GoKind_GO_KIND_BOOL_SLICE:
		return ListOf(in, (*pluginpb.Value).GetBoolValue)
	case pluginpb.GoKind_GO_KIND_INT_SLICE:
		return signedSlice[int](in)
	case pluginpb.GoKind_GO_KIND_INT8_SLICE:
		return signedSlice[int8](in)
	case pluginpb.GoKind_GO_KIND_INT16_SLICE:
		return signedSlice[int16](in)
	case pluginpb.GoKind_GO_KIND_INT32_SLICE:
		return signedSlice[int32](in)
	case pluginpb.GoKind_GO_KIND_INT64_SLICE:
		return signedSlice[int64](in)
	case pluginpb.GoKind_GO_KIND_UINT_SLICE:
		return unsignedSlice[uint](in)
	case pluginpb.GoKind_GO_KIND_UINT16_SLICE:
		return unsignedSlice[uint16](in)
	case pluginpb.GoKind_GO_KIND_UINT32_SLICE:
		return unsignedSlice[uint32](in)
	case pluginpb.GoKind_GO_KIND_UINT64_SLICE:
		return unsignedSlice[uint64](in)
	case pluginpb.GoKind_GO_KIND_UINTPTR_SLICE:
		return unsignedSlice[uintptr](in)
	case pluginpb.GoKind_GO_KIND_FLOAT32_SLICE:
		return floatSlice[float32](in)
	case pluginpb.GoKind_GO_KIND_FLOAT64_SLICE:
		return floatSlice[float64](in)
	case pluginpb.GoKind_GO_KIND_COMPLEX64_SLICE:
		return complexSlice[complex64](in)
	case pluginpb.GoKind_GO_KIND_COMPLEX128_SLICE:
		return complexSlice[complex128](in)
	}
	out := make([]any, len(in))
	for i, item := range in {
		out[i] = ValueFromProto(item)
	}
	return out
}

type signed interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64
}

type unsigned interface {
	~uint | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

func bytesValue(value []byte) *pluginpb.Value {
	return &pluginpb.Value{Kind: &pluginpb.Value_BytesValue{BytesValue: value}}
}

func signedList[T signed](in []T, goKind pluginpb.GoKind) *pluginpb.Value {
	return listValue(ListOf(in, func(item T) *pluginpb.Value {
		return int64Value(int64(item), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	}), goKind)
}

func signedSlice[T signed](in []*pluginpb.Value) []T {
	return ListOf(in, func(item *pluginpb.Value) T { return T(item.GetInt64Value()) })
}

func unsignedList[T unsigned](in []T, goKind pluginpb.GoKind) *pluginpb.Value {
	return listValue(ListOf(in, func(item T) *pluginpb.Value {
		return uint64Value(uint64(item), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	}), goKind)
}

func unsignedSlice[T unsigned](in []*pluginpb.Value) []T {
	return ListOf(in, func(item *pluginpb.Value) T { return T(item.GetUint64Value()) })
}

func floatList[T ~float32 | ~float64](in []T, goKind pluginpb.GoKind) *pluginpb.Value {
	return listValue(ListOf(in, func(item T) *pluginpb.Value {
		return doubleValue(float64(item), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	}), goKind)
}

func floatSlice[T ~float32 | ~float64](in []*pluginpb.Value) []T {
	return ListOf(in, func(item *pluginpb.Value) T { return T(item.GetDoubleValue()) })
}

func complexList[T ~complex64 | ~complex128](in []T, goKind pluginpb.GoKind) *pluginpb.Value {
	return listValue(ListOf(in, func(item T) *pluginpb.Value {
		return complexValue(complex128(item), pluginpb.GoKind_GO_KIND_UNSPECIFIED)
	}), goKind)
}

func complexSlice[T ~complex64 | ~complex128](in []*pluginpb.Value) []T {
	return ListOf(in, func(item *pluginpb.Value) T {
		number := item.GetComplexValue()
		return T(complex(number.GetReal(), number.GetImaginary()))
	})
}
