package fastgob

import (
	"encoding/gob"
	"math"
	"math/bits"
	"reflect"
	"unsafe"
)

// maxKept is how large a buffer may be that is kept for another value.
const maxKept = 1 << 20

// Encoder encodes values for one stream.
type Encoder struct {
	gob    *gob.Encoder
	out    []byte // of the call under way
	last   int    // where in it begins what encoding/gob wrote last
	writer writer
	plans  map[reflect.Type]*encodePlan // of types that have been described; nil: encoding/gob encodes them
}

// encodePlan is how a pointer to a struct is encoded.
type encodePlan struct {
	id   int64
	body *structPlan
}

// NewEncoder returns an encoder. Types are values of those types that others may have in interfaces within interfaces;
// they are described in what the first call of Append appends. gob itself puts their descriptions into the value that
// has them first, and takes them for known even if it refuses that value.
func NewEncoder(types ...any) *Encoder {
	e := &Encoder{plans: map[reflect.Type]*encodePlan{}}
	e.gob = gob.NewEncoder(written{e})
	for _, value := range types {
		if e.gob.Encode(value) == nil { // what gob refuses it refuses wherever it is
			e.out = e.out[:e.last] // the value, which comes behind all descriptions
		}
	}
	return e
}

// written is where encoding/gob writes.
type written struct{ *Encoder }

// Write takes one description of a type, or a value.
func (w written) Write(p []byte) (int, error) {
	w.last = len(w.out)
	w.out = append(w.out, p...)
	return len(p), nil
}

// Append appends a value. If gob refuses it, descriptions of types may have been appended that must be sent all the same.
func (e *Encoder) Append(out []byte, value any) ([]byte, error) {
	goType := reflect.TypeOf(value)
	plan, known := e.plans[goType]
	if plan != nil {
		if whole, ok := e.append(out, plan, value); ok {
			return whole, nil
		}
	}
	e.out = append(out, e.out...) // descriptions of what NewEncoder was given
	err := e.gob.Encode(value)
	out, e.out = e.out, nil
	if !known && err == nil {
		e.plans[goType] = newEncodePlan(goType, out[e.last:])
	}
	return out, err
}

// newEncodePlan returns the plan for a type of which a value has been encoded.
func newEncodePlan(goType reflect.Type, message []byte) *encodePlan {
	if goType.Kind() != reflect.Pointer || goType.Elem().Kind() != reflect.Struct || encodesItself(goType.Elem()) {
		return nil
	}
	_, size := cutUint(message)
	id, _ := cutUint(message[size:])
	return &encodePlan{toInt(id), encodePlans.of(goType.Elem())}
}

func (e *Encoder) append(out []byte, plan *encodePlan, value any) ([]byte, bool) {
	pointer := reflect.ValueOf(value).UnsafePointer()
	if pointer == nil {
		return out, false
	}
	s := &e.writer
	s.out, s.refused = appendInt(s.out[:0], plan.id), false
	plan.body.encode(s, pointer)
	if !s.refused {
		out = append(appendUint(out, uint64(len(s.out))), s.out...)
	}
	if cap(s.out) > maxKept {
		s.out = nil
	}
	return out, !s.refused
}

// writer has a value that is being encoded.
type writer struct {
	out     []byte
	refused bool // encoding/gob has to do it
}

// within says that the next value is not a struct's field: it is there even if it is zero.
const within = -1

// field appends the number of a field as the difference to the one before.
func (s *writer) field(delta int) {
	if delta != within {
		s.out = appendUint(s.out, uint64(delta))
	}
}

// encodeOp encodes the value at p, unless it is a field that is zero, and tells whether it has. delta is that of the
// field's number, or within.
type encodeOp func(s *writer, p unsafe.Pointer, delta int) bool

type structPlan struct {
	fields []encodeField
}

type encodeField struct {
	offset uintptr
	op     encodeOp
}

func (t *structPlan) encode(s *writer, p unsafe.Pointer) {
	last := -1
	for i := range t.fields {
		if field := &t.fields[i]; field.op(s, unsafe.Add(p, field.offset), i-last) {
			last = i
		}
	}
	s.out = append(s.out, 0)
}

var encodePlans = newCache(func(plans map[reflect.Type]*structPlan, goType reflect.Type) *structPlan {
	return compileEncoding(plans, goType)
})

func compileEncoding(plans map[reflect.Type]*structPlan, goType reflect.Type) *structPlan {
	if plan := plans[goType]; plan != nil {
		return plan
	}
	plan := &structPlan{}
	plans[goType] = plan // types may be recursive
	for field := range goType.Fields() {
		if isSent(field) {
			plan.fields = append(plan.fields, encodeField{field.Offset, encodeOpOf(plans, field.Type)})
		}
	}
	return plan
}

func encodeOpOf(plans map[reflect.Type]*structPlan, t reflect.Type) encodeOp {
	if encodesItself(t) {
		return refuse
	}
	switch t.Kind() {
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			return refuse
		}
		return encodePointer(encodeOpOf(plans, t.Elem()))
	case reflect.Bool:
		return encodeBool
	case reflect.Int:
		return encodeInt[int]
	case reflect.Int8:
		return encodeInt[int8]
	case reflect.Int16:
		return encodeInt[int16]
	case reflect.Int32:
		return encodeInt[int32]
	case reflect.Int64:
		return encodeInt[int64]
	case reflect.Uint:
		return encodeUint[uint]
	case reflect.Uint8:
		return encodeUint[uint8]
	case reflect.Uint16:
		return encodeUint[uint16]
	case reflect.Uint32:
		return encodeUint[uint32]
	case reflect.Uint64:
		return encodeUint[uint64]
	case reflect.Float64:
		return encodeFloat
	case reflect.String:
		return encodeString
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return encodeOctets
		}
		return encodeSlice(encodeOpOf(plans, t.Elem()), t.Elem().Size())
	case reflect.Struct:
		return encodeStruct(compileEncoding(plans, t))
	case reflect.Map:
		if isAnyMap(t) {
			return encodeAnyMap
		}
		return encodeNil
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return encodeAny
		}
		return encodeNil // its first word is nil if it is
	}
	return refuse
}

func refuse(s *writer, _ unsafe.Pointer, _ int) bool {
	s.refused = true
	return true
}

// encodeNil encodes what is nil if its first word is, and refuses it if it is not.
func encodeNil(s *writer, p unsafe.Pointer, delta int) bool {
	if delta != within && *(*unsafe.Pointer)(p) == nil {
		return false
	}
	return refuse(s, p, delta)
}

func encodePointer(op encodeOp) encodeOp {
	return func(s *writer, p unsafe.Pointer, delta int) bool {
		if to := *(*unsafe.Pointer)(p); to != nil {
			return op(s, to, delta)
		}
		if delta == within {
			return refuse(s, p, delta)
		}
		return false
	}
}

func encodeBool(s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*bool)(p)
	if !value && delta != within {
		return false
	}
	s.field(delta)
	if value {
		s.out = append(s.out, 1)
	} else {
		s.out = append(s.out, 0)
	}
	return true
}

func encodeInt[T int | int8 | int16 | int32 | int64](s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*T)(p)
	if value == 0 && delta != within {
		return false
	}
	s.field(delta)
	s.out = appendInt(s.out, int64(value))
	return true
}

func encodeUint[T uint | uint8 | uint16 | uint32 | uint64](s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*T)(p)
	if value == 0 && delta != within {
		return false
	}
	s.field(delta)
	s.out = appendUint(s.out, uint64(value))
	return true
}

func encodeFloat(s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*float64)(p)
	if value == 0 && delta != within {
		return false
	}
	s.field(delta)
	s.out = appendFloat(s.out, value)
	return true
}

func appendFloat(out []byte, value float64) []byte {
	return appendUint(out, bits.ReverseBytes64(math.Float64bits(value)))
}

func encodeString(s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*string)(p)
	if value == "" && delta != within {
		return false
	}
	s.field(delta)
	s.out = appendString(s.out, value)
	return true
}

func appendString(out []byte, value string) []byte {
	return append(appendUint(out, uint64(len(value))), value...)
}

func encodeOctets(s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*[]byte)(p)
	if len(value) == 0 && delta != within {
		return false
	}
	s.field(delta)
	s.out = append(appendUint(s.out, uint64(len(value))), value...)
	return true
}

func encodeSlice(op encodeOp, size uintptr) encodeOp {
	return func(s *writer, p unsafe.Pointer, delta int) bool {
		value := *(*[]struct{})(p) // of whatever: only where and how many
		if len(value) == 0 && delta != within {
			return false
		}
		s.field(delta)
		s.out = appendUint(s.out, uint64(len(value)))
		first := unsafe.Pointer(unsafe.SliceData(value))
		for i := range len(value) {
			if op(s, unsafe.Add(first, uintptr(i)*size), within); s.refused {
				break
			}
		}
		return true
	}
}

func encodeStruct(plan *structPlan) encodeOp {
	return func(s *writer, p unsafe.Pointer, delta int) bool {
		s.field(delta)
		plan.encode(s, p)
		return true
	}
}

// encodeAnyMap encodes a map that may be empty, which is something else than none.
func encodeAnyMap(s *writer, p unsafe.Pointer, delta int) bool {
	values := *(*map[string]any)(p)
	if values == nil && delta != within {
		return false
	}
	s.field(delta)
	s.out = appendUint(s.out, uint64(len(values)))
	for key, value := range values {
		s.out = appendString(s.out, key)
		if encodeAny(s, unsafe.Pointer(&value), within); s.refused {
			break
		}
	}
	return true
}

func encodeAny(s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*any)(p)
	if value == nil {
		if delta != within {
			return false
		}
		s.out = append(s.out, 0)
		return true
	}
	s.field(delta)
	var buffer [16]byte
	switch value := value.(type) {
	case string:
		s.out = appendInt(appendString(s.out, "string"), idString)
		prefix := appendUint(buffer[:0], uint64(len(value)))
		s.out = append(appendUint(s.out, uint64(1+len(prefix)+len(value))), 0)
		s.out = append(append(s.out, prefix...), value...)
	case bool:
		octet := byte(0)
		if value {
			octet = 1
		}
		s.out = append(appendInt(appendString(s.out, "bool"), idBool), 2, 0, octet)
	case int:
		s.number("int", idInt, appendInt(buffer[:0], int64(value)))
	case int64:
		s.number("int64", idInt, appendInt(buffer[:0], value))
	case float64:
		s.number("float64", idFloat, appendFloat(buffer[:0], value))
	default:
		return refuse(s, p, delta)
	}
	return true
}

// number appends a number in an interface: its type, and how much is to come, which begins with a zero.
func (s *writer) number(name string, id int64, value []byte) {
	s.out = appendInt(appendString(s.out, name), id)
	s.out = append(append(appendUint(s.out, uint64(1+len(value))), 0), value...)
}
