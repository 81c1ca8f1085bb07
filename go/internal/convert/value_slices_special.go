package convert

// appendSlice appends a slice of a basic type, which gob carries inside an interface too, as a list whose kind says
// which. It tells whether it is one.
func appendSlice(b []byte, in any) ([]byte, bool) {
	switch value := in.(type) {
	case []string:
		return appendList(b, kindStringSlice, value, appendStringValue), true
	case []bool:
		return appendList(b, kindBoolSlice, value, appendBoolValue), true
	case []int:
		return appendList(b, kindIntSlice, value, appendSignedValue), true
	case []int8:
		return appendList(b, kindInt8Slice, value, appendSignedValue), true
	case []int16:
		return appendList(b, kindInt16Slice, value, appendSignedValue), true
	case []int32:
		return appendList(b, kindInt32Slice, value, appendSignedValue), true
	case []int64:
		return appendList(b, kindInt64Slice, value, appendSignedValue), true
	case []uint:
		return appendList(b, kindUintSlice, value, appendUnsignedValue), true
	case []uint16:
		return appendList(b, kindUint16Slice, value, appendUnsignedValue), true
	case []uint32:
		return appendList(b, kindUint32Slice, value, appendUnsignedValue), true
	case []uint64:
		return appendList(b, kindUint64Slice, value, appendUnsignedValue), true
	case []uintptr:
		return appendList(b, kindUintptrSlice, value, appendUnsignedValue), true
	case []float32:
		return appendList(b, kindFloat32Slice, value, appendFloatValue), true
	case []float64:
		return appendList(b, kindFloat64Slice, value, appendFloatValue), true
	case []complex64:
		return appendList(b, kindComplex64Slice, value, appendComplexValue), true
	case []complex128:
		return appendList(b, kindComplex128Slice, value, appendComplexValue), true
	}
	return b, false
}

func appendList[T any](b []byte, kind goKind, list []T, add func([]byte, T) []byte) []byte {
	b, start := begin(appendKind(b, kind), valueListValue)
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
	switch v.kind {
	case kindStringSlice:
		return parseList(v.in, parseStringValue)
	case kindBoolSlice:
		return parseList(v.in, parseBoolValue)
	case kindIntSlice:
		return parseList(v.in, parseSignedValue[int])
	case kindInt8Slice:
		return parseList(v.in, parseSignedValue[int8])
	case kindInt16Slice:
		return parseList(v.in, parseSignedValue[int16])
	case kindInt32Slice:
		return parseList(v.in, parseSignedValue[int32])
	case kindInt64Slice:
		return parseList(v.in, parseSignedValue[int64])
	case kindUintSlice:
		return parseList(v.in, parseUnsignedValue[uint])
	case kindUint16Slice:
		return parseList(v.in, parseUnsignedValue[uint16])
	case kindUint32Slice:
		return parseList(v.in, parseUnsignedValue[uint32])
	case kindUint64Slice:
		return parseList(v.in, parseUnsignedValue[uint64])
	case kindUintptrSlice:
		return parseList(v.in, parseUnsignedValue[uintptr])
	case kindFloat32Slice:
		return parseList(v.in, parseFloatValue[float32])
	case kindFloat64Slice:
		return parseList(v.in, parseFloatValue[float64])
	case kindComplex64Slice:
		return parseList(v.in, parseComplexValue[complex64])
	case kindComplex128Slice:
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
