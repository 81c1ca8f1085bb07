package convert

import "github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"

// appendSlice appends a slice of a basic type, which gob carries inside an interface too, as a list whose kind says
// which. It tells whether it is one.
func appendSlice(b []byte, in any) ([]byte, bool) {
	switch value := in.(type) {
	case []string:
		return appendList(b, pluginpb.GoKind_GO_KIND_STRING_SLICE, value, appendStringValue), true
	case []bool:
		return appendList(b, pluginpb.GoKind_GO_KIND_BOOL_SLICE, value, appendBoolValue), true
	case []int:
		return appendList(b, pluginpb.GoKind_GO_KIND_INT_SLICE, value, appendSignedValue), true
	case []int8:
		return appendList(b, pluginpb.GoKind_GO_KIND_INT8_SLICE, value, appendSignedValue), true
	case []int16:
		return appendList(b, pluginpb.GoKind_GO_KIND_INT16_SLICE, value, appendSignedValue), true
	case []int32:
		return appendList(b, pluginpb.GoKind_GO_KIND_INT32_SLICE, value, appendSignedValue), true
	case []int64:
		return appendList(b, pluginpb.GoKind_GO_KIND_INT64_SLICE, value, appendSignedValue), true
	case []uint:
		return appendList(b, pluginpb.GoKind_GO_KIND_UINT_SLICE, value, appendUnsignedValue), true
	case []uint16:
		return appendList(b, pluginpb.GoKind_GO_KIND_UINT16_SLICE, value, appendUnsignedValue), true
	case []uint32:
		return appendList(b, pluginpb.GoKind_GO_KIND_UINT32_SLICE, value, appendUnsignedValue), true
	case []uint64:
		return appendList(b, pluginpb.GoKind_GO_KIND_UINT64_SLICE, value, appendUnsignedValue), true
	case []uintptr:
		return appendList(b, pluginpb.GoKind_GO_KIND_UINTPTR_SLICE, value, appendUnsignedValue), true
	case []float32:
		return appendList(b, pluginpb.GoKind_GO_KIND_FLOAT32_SLICE, value, appendFloatValue), true
	case []float64:
		return appendList(b, pluginpb.GoKind_GO_KIND_FLOAT64_SLICE, value, appendFloatValue), true
	case []complex64:
		return appendList(b, pluginpb.GoKind_GO_KIND_COMPLEX64_SLICE, value, appendComplexValue), true
	case []complex128:
		return appendList(b, pluginpb.GoKind_GO_KIND_COMPLEX128_SLICE, value, appendComplexValue), true
	}
	return b, false
}

func appendList[T any](b []byte, goKind pluginpb.GoKind, list []T, add func([]byte, T) []byte) []byte {
	b, start := begin(appendKind(b, goKind), valueListValue)
	return end(appendWrappedList(b, valueListItems, list, add), start)
}

func appendBoolValue(b []byte, value bool) []byte { return appendSetBool(b, valueBoolValue, value) }

func appendSignedValue[T integer](b []byte, value T) []byte {
	return appendSetInt(b, valueInt64Value, uint64(value))
}

func appendUnsignedValue[T integer](b []byte, value T) []byte {
	return appendSetInt(b, valueUint64Value, uint64(value))
}

func appendFloatValue[T ~float32 | ~float64](b []byte, value T) []byte {
	return appendSetDouble(b, valueDoubleValue, float64(value))
}

func appendComplexValue[T ~complex64 | ~complex128](b []byte, value T) []byte {
	return appendComplex(b, complex128(value))
}

// list is the way back of appendSlice; without a kind the list is a []any.
func (v value) list() (any, error) {
	switch v.goKind {
	case pluginpb.GoKind_GO_KIND_STRING_SLICE:
		return parseList(v.in, parseStringValue)
	case pluginpb.GoKind_GO_KIND_BOOL_SLICE:
		return parseList(v.in, parseBoolValue)
	case pluginpb.GoKind_GO_KIND_INT_SLICE:
		return parseList(v.in, parseSignedValue[int])
	case pluginpb.GoKind_GO_KIND_INT8_SLICE:
		return parseList(v.in, parseSignedValue[int8])
	case pluginpb.GoKind_GO_KIND_INT16_SLICE:
		return parseList(v.in, parseSignedValue[int16])
	case pluginpb.GoKind_GO_KIND_INT32_SLICE:
		return parseList(v.in, parseSignedValue[int32])
	case pluginpb.GoKind_GO_KIND_INT64_SLICE:
		return parseList(v.in, parseSignedValue[int64])
	case pluginpb.GoKind_GO_KIND_UINT_SLICE:
		return parseList(v.in, parseUnsignedValue[uint])
	case pluginpb.GoKind_GO_KIND_UINT16_SLICE:
		return parseList(v.in, parseUnsignedValue[uint16])
	case pluginpb.GoKind_GO_KIND_UINT32_SLICE:
		return parseList(v.in, parseUnsignedValue[uint32])
	case pluginpb.GoKind_GO_KIND_UINT64_SLICE:
		return parseList(v.in, parseUnsignedValue[uint64])
	case pluginpb.GoKind_GO_KIND_UINTPTR_SLICE:
		return parseList(v.in, parseUnsignedValue[uintptr])
	case pluginpb.GoKind_GO_KIND_FLOAT32_SLICE:
		return parseList(v.in, parseFloatValue[float32])
	case pluginpb.GoKind_GO_KIND_FLOAT64_SLICE:
		return parseList(v.in, parseFloatValue[float64])
	case pluginpb.GoKind_GO_KIND_COMPLEX64_SLICE:
		return parseList(v.in, parseComplexValue[complex64])
	case pluginpb.GoKind_GO_KIND_COMPLEX128_SLICE:
		return parseList(v.in, parseComplexValue[complex128])
	}
	out, err := parseValueList(v.in)
	if out == nil {
		out = []any{}
	}
	return out, err
}

func parseList[T any](in source, parse func(source) (T, error)) (any, error) {
	var out []T
	f := in.fields()
	for f.next() {
		if f.tag == valueListItems {
			wrappedList(&f, &out, parse)
		}
	}
	return out, f.err
}
