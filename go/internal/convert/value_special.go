package convert

import (
	"math"
	"time"
)

// appendSetValue appends the field of what an interface holds, unless that is nothing.
func appendSetValue(b []byte, tag uint64, in any) []byte {
	if in == nil {
		return b
	}
	before := len(b)
	b, start := begin(b, tag)
	if b = AppendValue(b, in); len(b) == start {
		return b[:before]
	}
	return end(b, start)
}

// AppendValue appends the message of what an interface holds: the types that gob carries inside one, each with the kind
// that tells it from its neighbours. Other types are taken by what they are made of, see appendForeign. Nothing, which
// a pointer may be, too, is a message without a case.
func AppendValue(b []byte, in any) []byte {
	switch value := in.(type) {
	case nil:
		return b
	case string:
		return appendSetText(b, valueStringValue, value)
	case bool:
		return appendSetBool(b, valueBoolValue, value)
	case int64:
		return appendSetInt(b, valueInt64Value, uint64(value))
	case float64:
		return appendSetDouble(b, valueDoubleValue, value)
	case map[string]any:
		return appendWrapped(b, valueMapValue, value, appendValueMap)
	case []any:
		return appendWrapped(b, valueListValue, value, appendValueList)
	case []byte:
		return appendSetBytes(b, valueBytesValue, value)
	case int:
		return appendSigned(b, kindInt, int64(value))
	case int8:
		return appendSigned(b, kindInt8, int64(value))
	case int16:
		return appendSigned(b, kindInt16, int64(value))
	case int32:
		return appendSigned(b, kindInt32, int64(value))
	case uint:
		return appendUnsigned(b, kindUint, uint64(value))
	case uint8:
		return appendUnsigned(b, kindUint8, uint64(value))
	case uint16:
		return appendUnsigned(b, kindUint16, uint64(value))
	case uint32:
		return appendUnsigned(b, kindUint32, uint64(value))
	case uint64:
		return appendSetInt(b, valueUint64Value, value)
	case uintptr:
		return appendUnsigned(b, kindUintptr, uint64(value))
	case float32:
		return appendSetDouble(appendKind(b, kindFloat32), valueDoubleValue, float64(value))
	case complex64:
		return appendComplex(appendKind(b, kindComplex64), complex128(value))
	case complex128:
		return appendComplex(b, value)
	case time.Time:
		return appendWrapped(b, valueTimeValue, value, appendTime)
	case map[string]string:
		return appendStringMap(b, value)
	}
	if out, ok := appendSlice(b, in); ok {
		return out
	}
	if out, ok := appendRegistered(b, in); ok {
		return out
	}
	return appendForeign(b, in)
}

func appendKind(b []byte, kind goKind) []byte {
	return appendInt(b, valueGoKind, uint64(kind))
}

func appendSigned(b []byte, kind goKind, value int64) []byte {
	return appendSetInt(appendKind(b, kind), valueInt64Value, uint64(value))
}

func appendUnsigned(b []byte, kind goKind, value uint64) []byte {
	return appendSetInt(appendKind(b, kind), valueUint64Value, value)
}

func appendComplex(b []byte, value complex128) []byte {
	b, start := begin(b, valueComplexValue)
	b = appendDouble(b, complexReal, real(value))
	b = appendDouble(b, complexImaginary, imag(value))
	return end(b, start)
}

func appendStringMap(b []byte, value map[string]string) []byte {
	b, start := begin(appendKind(b, kindStringMap), valueMapValue)
	b = appendWrappedMap(b, valueMapEntries, value, appendStringValue)
	return end(b, start)
}

func appendStringValue(b []byte, value string) []byte {
	return appendSetText(b, valueStringValue, value)
}

// ParseValue is the way back of AppendValue; see Message about data. A message without a case is nil.
func ParseValue(data []byte) (any, error) { return parseValue(newSource(data)) }

func parseValue(in source) (any, error) {
	value, err := readValue(in)
	if err != nil {
		return nil, err
	}
	return value.any()
}

// value is a Value message: its case, not read yet where that is a message, and its kind.
type value struct {
	oneof
	kind goKind
}

func readValue(in source) (value, error) {
	var out value
	f := in.fields()
	for f.next() {
		switch f.tag {
		case valueGoKind:
			out.kind = goKind(int32(f.value))
		case valueBoolValue, valueInt64Value, valueUint64Value, valueDoubleValue, valueStringValue, valueBytesValue:
			out.set(&f, checkValue)
		default:
			if isValueMessage(f.tag) {
				out.merge(&f, checkValue)
			}
		}
	}
	return out, f.err
}

func checkValue(kind oneof) error {
	_, err := value{oneof: kind}.any()
	return err
}

func (v value) any() (any, error) {
	switch v.tag {
	case 0:
		return nil, nil
	case valueStringValue:
		return anyOf(v.in.text())
	case valueBoolValue:
		return v.value != 0, nil
	case valueInt64Value:
		return v.signed(int64(v.value)), nil
	case valueUint64Value:
		return v.unsigned(v.value), nil
	case valueDoubleValue:
		number := math.Float64frombits(v.value)
		if v.kind == kindFloat32 {
			return float32(number), nil
		}
		return number, nil
	case valueBytesValue:
		return v.in.bytes(), nil
	case valueMapValue:
		if v.kind == kindStringMap {
			return anyOf(parseStringMap(v.in))
		}
		out, err := parseValueMap(v.in)
		if out == nil {
			out = map[string]any{}
		}
		return out, err
	case valueListValue:
		return v.list()
	case valueTimeValue:
		return anyOf(parseTime(v.in))
	case valueComplexValue:
		number, err := parseComplex(v.in)
		if v.kind == kindComplex64 {
			return complex64(number), err
		}
		return number, err
	}
	return parseRegistered(v.tag, v.in)
}

func anyOf[T any](out T, err error) (any, error) { return out, err }

// signed returns a number as the kind it had, or as an int64 if a new value does not fit that any more.
func (v value) signed(number int64) any {
	switch {
	case v.kind == kindInt && int64(int(number)) == number:
		return int(number)
	case v.kind == kindInt8 && int64(int8(number)) == number:
		return int8(number)
	case v.kind == kindInt16 && int64(int16(number)) == number:
		return int16(number)
	case v.kind == kindInt32 && int64(int32(number)) == number:
		return int32(number)
	}
	return number
}

// unsigned is signed for unsigned numbers.
func (v value) unsigned(number uint64) any {
	switch {
	case v.kind == kindUint && uint64(uint(number)) == number:
		return uint(number)
	case v.kind == kindUint8 && uint64(uint8(number)) == number:
		return uint8(number)
	case v.kind == kindUint16 && uint64(uint16(number)) == number:
		return uint16(number)
	case v.kind == kindUint32 && uint64(uint32(number)) == number:
		return uint32(number)
	case v.kind == kindUintptr && uint64(uintptr(number)) == number:
		return uintptr(number)
	}
	return number
}

func parseStringMap(in source) (map[string]string, error) {
	var out map[string]string
	f := in.fields()
	for f.next() {
		if f.tag == valueMapEntries {
			wrappedMap(&f, &out, parseStringValue)
		}
	}
	return out, f.err
}

func parseComplex(in source) (complex128, error) {
	var real, imaginary float64
	f := in.fields()
	for f.next() {
		switch f.tag {
		case complexReal:
			real = math.Float64frombits(f.value)
		case complexImaginary:
			imaginary = math.Float64frombits(f.value)
		}
	}
	return complex(real, imaginary), f.err
}

// The following return what a Value message holds if its case is the one, else zero.

func parseStringValue(in source) (string, error) {
	v, err := readValue(in)
	if err == nil && v.tag == valueStringValue {
		return v.in.text()
	}
	return "", v.other(err)
}

func parseBoolValue(in source) (bool, error) {
	v, err := readValue(in)
	if v.tag == valueBoolValue {
		return v.value != 0, err
	}
	return false, v.other(err)
}

func parseNumber[T integer](in source, tag uint64) (T, error) {
	v, err := readValue(in)
	if v.tag == tag {
		return T(v.value), err
	}
	return 0, v.other(err)
}

func parseSignedValue[T integer](in source) (T, error) { return parseNumber[T](in, valueInt64Value) }

func parseUnsignedValue[T integer](in source) (T, error) { return parseNumber[T](in, valueUint64Value) }

func parseFloatValue[T ~float32 | ~float64](in source) (T, error) {
	v, err := readValue(in)
	if v.tag == valueDoubleValue {
		return T(math.Float64frombits(v.value)), err
	}
	return 0, v.other(err)
}

func parseComplexValue[T ~complex64 | ~complex128](in source) (T, error) {
	v, err := readValue(in)
	if err == nil && v.tag == valueComplexValue {
		number, err := parseComplex(v.in)
		return T(number), err
	}
	return 0, v.other(err)
}

// other checks a case that is not the wanted one.
func (v value) other(err error) error {
	if err != nil {
		return err
	}
	return checkValue(v.oneof)
}
