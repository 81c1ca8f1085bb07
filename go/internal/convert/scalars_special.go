package convert

// integer is every number kind whose width differs between Go and protobuf.
type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// CastPointer converts what a pointer points to, into memory of its own.
func CastPointer[To, From integer](in *From) *To {
	if in == nil {
		return nil
	}
	out := To(*in)
	return &out
}

// CastStrings converts a list between string types.
func CastStrings[To, From ~string](in []From) []To {
	if in == nil {
		return nil
	}
	out := make([]To, len(in))
	for i, item := range in {
		out[i] = To(item)
	}
	return out
}

// Deref returns what a pointer points to, or the zero value for nil. T must not hold a mutex.
func Deref[T any](in *T) T {
	if in == nil {
		var zero T
		return zero
	}
	return *in
}

// BytesPointerToProto takes a *[]byte to an optional field, whose nil is absence.
func BytesPointerToProto(in *[]byte) []byte {
	if in == nil {
		return nil
	}
	if *in == nil {
		return []byte{}
	}
	return *in
}

// BytesPointerFromProto is the way back of BytesPointerToProto.
func BytesPointerFromProto(in []byte) *[]byte {
	if in == nil {
		return nil
	}
	return &in
}
