package fastgob

import (
	"encoding/gob"
	"math"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/gobwire"
)

// maxKept is how large a buffer may be that is kept for another value.
const maxKept = 1 << 20

// Encoder encodes values for one stream.
type Encoder struct {
	gob     *gob.Encoder
	out     []byte // of the call under way
	last    int    // where in it begins what encoding/gob wrote last
	writer  writer
	plans   map[reflect.Type]*encodePlan // of types that have been described; nil: encoding/gob encodes them
	structs map[reflect.Type]*structPlan
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
	e := &Encoder{plans: map[reflect.Type]*encodePlan{}, structs: map[reflect.Type]*structPlan{}}
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
		e.plans[goType] = e.planOf(goType, out[e.last:])
	}
	return out, err
}

// planOf returns the plan for a type of which a value has been encoded.
func (e *Encoder) planOf(goType reflect.Type, message []byte) *encodePlan {
	if goType.Kind() != reflect.Pointer || goType.Elem().Kind() != reflect.Struct || encodesItself(goType.Elem()) {
		return nil
	}
	_, size := gobwire.CutUint(message)
	id, _ := gobwire.CutUint(message[size:])
	return &encodePlan{gobwire.ToInt(id), e.structOf(goType.Elem())}
}

func (e *Encoder) append(out []byte, plan *encodePlan, value any) ([]byte, bool) {
	pointer := reflect.ValueOf(value).UnsafePointer()
	if pointer == nil {
		return out, false
	}
	s := &e.writer
	s.out, s.refused = gobwire.AppendInt(s.out[:0], plan.id), false
	plan.body.encode(s, pointer)
	if !s.refused {
		out = append(gobwire.AppendUint(out, uint64(len(s.out))), s.out...)
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
		s.out = gobwire.AppendUint(s.out, uint64(delta))
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

// structOf returns the plan for a struct.
func (e *Encoder) structOf(goType reflect.Type) *structPlan {
	if plan := e.structs[goType]; plan != nil {
		return plan
	}
	plan := &structPlan{}
	e.structs[goType] = plan // types may be recursive
	for field := range goType.Fields() {
		if isSent(field) {
			plan.fields = append(plan.fields, encodeField{field.Offset, e.opOf(field.Type)})
		}
	}
	return plan
}

// opOf returns how values of a type are encoded.
func (e *Encoder) opOf(t reflect.Type) encodeOp {
	if encodesItself(t) {
		return refuse
	}
	if op := encodeOps[t.Kind()]; op != nil {
		return op
	}
	switch t.Kind() {
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			return refuse
		}
		return encodePointer(e.opOf(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return encodeOctets
		}
		return encodeSlice(e.opOf(t.Elem()), t.Elem().Size())
	case reflect.Struct:
		return encodeStruct(e.structOf(t))
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

// encodeScalar returns how a value is encoded that is zero or appended.
func encodeScalar[T comparable](appended func(out []byte, value T) []byte) encodeOp {
	var zero T
	return func(s *writer, p unsafe.Pointer, delta int) bool {
		value := *(*T)(p)
		if value == zero && delta != within {
			return false
		}
		s.field(delta)
		s.out = appended(s.out, value)
		return true
	}
}

var encodeOps = map[reflect.Kind]encodeOp{
	reflect.Bool:    encodeScalar(appendBool),
	reflect.Int:     encodeScalar(appendSigned[int]),
	reflect.Int8:    encodeScalar(appendSigned[int8]),
	reflect.Int16:   encodeScalar(appendSigned[int16]),
	reflect.Int32:   encodeScalar(appendSigned[int32]),
	reflect.Int64:   encodeScalar(appendSigned[int64]),
	reflect.Uint:    encodeScalar(appendUnsigned[uint]),
	reflect.Uint8:   encodeScalar(appendUnsigned[uint8]),
	reflect.Uint16:  encodeScalar(appendUnsigned[uint16]),
	reflect.Uint32:  encodeScalar(appendUnsigned[uint32]),
	reflect.Uint64:  encodeScalar(appendUnsigned[uint64]),
	reflect.Float64: encodeScalar(appendFloat),
	reflect.String:  encodeScalar(gobwire.AppendText),
}

func appendBool(out []byte, value bool) []byte {
	if value {
		return append(out, 1)
	}
	return append(out, 0)
}

func appendSigned[T signed](out []byte, value T) []byte { return gobwire.AppendInt(out, int64(value)) }

func appendUnsigned[T unsigned](out []byte, value T) []byte {
	return gobwire.AppendUint(out, uint64(value))
}

func appendFloat(out []byte, value float64) []byte {
	return gobwire.AppendUint(out, bits.ReverseBytes64(math.Float64bits(value)))
}

func encodeOctets(s *writer, p unsafe.Pointer, delta int) bool {
	value := *(*[]byte)(p)
	if len(value) == 0 && delta != within {
		return false
	}
	s.field(delta)
	s.out = append(gobwire.AppendUint(s.out, uint64(len(value))), value...)
	return true
}

func encodeSlice(op encodeOp, size uintptr) encodeOp {
	return func(s *writer, p unsafe.Pointer, delta int) bool {
		value := *(*[]struct{})(p) // of whatever: only where and how many
		if len(value) == 0 && delta != within {
			return false
		}
		s.field(delta)
		s.out = gobwire.AppendUint(s.out, uint64(len(value)))
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
	s.out = gobwire.AppendUint(s.out, uint64(len(values)))
	for key, value := range values {
		s.out = gobwire.AppendText(s.out, key)
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
		s.out = gobwire.AppendInt(gobwire.AppendText(s.out, "string"), gobwire.String)
		prefix := gobwire.AppendUint(buffer[:0], uint64(len(value)))
		s.out = append(gobwire.AppendUint(s.out, uint64(1+len(prefix)+len(value))), 0)
		s.out = append(append(s.out, prefix...), value...)
	case bool:
		s.number("bool", gobwire.Bool, appendBool(buffer[:0], value))
	case int:
		s.number("int", gobwire.Int, gobwire.AppendInt(buffer[:0], int64(value)))
	case int64:
		s.number("int64", gobwire.Int, gobwire.AppendInt(buffer[:0], value))
	case float64:
		s.number("float64", gobwire.Float, appendFloat(buffer[:0], value))
	default:
		return refuse(s, p, delta)
	}
	return true
}

// number appends a number in an interface: its type, and how much is to come, which begins with a zero.
func (s *writer) number(name string, id int64, value []byte) {
	s.out = gobwire.AppendInt(gobwire.AppendText(s.out, name), id)
	s.out = append(append(gobwire.AppendUint(s.out, uint64(1+len(value))), 0), value...)
}
