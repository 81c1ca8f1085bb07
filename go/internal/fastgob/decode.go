package fastgob

import (
	"bufio"
	"encoding/gob"
	"io"
	"math"
	"math/bits"
	"reflect"
	"unsafe"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/gobwire"
)

const (
	// readAtOnce is how much is read from a stream at once.
	readAtOnce = 32 << 10

	// maxMessage is how large a message may be that is decoded here. A larger one is as fast in encoding/gob.
	maxMessage = 64 << 10
)

// Decoder decodes values from one stream.
type Decoder struct {
	in      *bufio.Reader
	gob     *gob.Decoder
	size    int    // of the last value
	pending []byte // what has been read and encoding/gob has not seen, but for values that were decoded here
	reader  reader
	types   map[int64]*wireType
	plans   map[planKey]decodeOp // nil: encoding/gob decodes these
	structs map[planKey]*decodePlan
}

type planKey struct {
	id int64
	t  reflect.Type
}

// NewDecoder returns a decoder of what a stream brings.
func NewDecoder(stream io.Reader) *Decoder {
	d := &Decoder{
		in:    bufio.NewReaderSize(stream, readAtOnce),
		types: map[int64]*wireType{}, plans: map[planKey]decodeOp{}, structs: map[planKey]*decodePlan{},
	}
	d.gob = gob.NewDecoder(rest{d})
	return d
}

// HoldsMore tells whether more has been read from the stream than was decoded.
func (d *Decoder) HoldsMore() bool { return d.in.Buffered() > 0 }

// Size returns how many octets the last value had, or math.MaxInt if it was a large one.
func (d *Decoder) Size() int { return d.size }

// rest is what encoding/gob reads. It takes no more than the message that it needs, as it may read octet by octet.
type rest struct{ *Decoder }

// Read implements io.Reader.
func (r rest) Read(p []byte) (int, error) {
	if len(r.pending) > 0 {
		n := copy(p, r.pending)
		if r.pending = r.pending[n:]; len(r.pending) == 0 {
			r.pending = nil
		}
		return n, nil
	}
	return r.in.Read(p)
}

// ReadByte implements io.ByteReader.
func (r rest) ReadByte() (byte, error) {
	var octet [1]byte
	_, err := io.ReadFull(r, octet[:])
	return octet[0], err
}

// Decode decodes the next value into what a pointer points to, which has to be zero; nil: it is skipped.
func (d *Decoder) Decode(into any) error {
	if into == nil {
		return d.gob.DecodeValue(reflect.Value{})
	}
	doubtful := false
	for first := true; ; first = false {
		if _, err := d.in.Peek(1); err != nil && first {
			return err // to encoding/gob, descriptions that it has not seen would be half of something
		}
		message, prefix := d.message()
		d.size = len(message)
		if message == nil {
			d.size = math.MaxInt
			return d.gob.Decode(into) // which says what is wrong, if something is
		}
		number, size := gobwire.CutUint(message[prefix:])
		id := gobwire.ToInt(number)
		if size == 0 || id >= 0 {
			if size > 0 && !doubtful && d.decode(id, message[prefix+size:], into) {
				return nil
			}
			d.pending = append(d.pending, message...)
			return d.gob.Decode(into)
		}
		// What is no description, or none that is known here, is for encoding/gob to judge before anything else is decoded.
		t := described(message[prefix+size:])
		if _, again := d.types[-id]; again || t == nil || -id < gobwire.FirstDescribed {
			doubtful = true
		}
		d.types[-id] = t
		d.pending = append(d.pending, message...)
	}
}

// message returns the next message, and how many octets before it say how long it is; nil: it is for encoding/gob to
// read.
func (d *Decoder) message() (message []byte, prefix int) {
	length, prefix, err := gobwire.PeekUint(d.in)
	if err != nil || prefix == 0 || length > maxMessage {
		return nil, 0
	}
	// Texts are parts of it, so it is not used again.
	message = make([]byte, prefix+int(length))
	if n, err := io.ReadFull(d.in, message); err != nil {
		d.pending = append(d.pending, message[:n]...)
		return nil, 0
	}
	return message, prefix
}

// decode decodes a value, and tells whether it has.
func (d *Decoder) decode(id int64, content []byte, into any) bool {
	target := reflect.ValueOf(into)
	key := planKey{id, target.Type()}
	op, known := d.plans[key]
	if !known {
		if key.t.Kind() == reflect.Pointer && key.t.Elem().Kind() == reflect.Struct {
			op = d.opOf(id, key.t.Elem())
		}
		d.plans[key] = op
	}
	if op == nil || target.IsNil() || !target.Elem().IsZero() {
		return false
	}
	r := &d.reader
	*r = reader{in: content}
	op(r, target.UnsafePointer())
	decoded := !r.refused && len(r.in) == 0
	*r = reader{} // which would keep the message
	if !decoded {
		target.Elem().SetZero()
	}
	return decoded
}

// reader has a value that is being decoded.
type reader struct {
	in      []byte
	refused bool // encoding/gob has to do it
}

func (r *reader) uint() uint64 {
	if len(r.in) > 0 && r.in[0] <= 0x7f {
		n := r.in[0]
		r.in = r.in[1:]
		return uint64(n)
	}
	n, size := gobwire.CutUint(r.in)
	if size == 0 {
		r.refuse()
	}
	r.in = r.in[size:]
	return n
}

// refuse leaves nothing to be read, so that everything ends soon.
func (r *reader) refuse() { r.refused, r.in = true, nil }

// octets returns as many as are announced.
func (r *reader) octets() []byte {
	n := r.uint()
	if n > uint64(len(r.in)) {
		r.refuse()
		return nil
	}
	out := r.in[:n]
	r.in = r.in[n:]
	return out
}

// string returns octets as the text that they are.
func (r *reader) string() string {
	octets := r.octets()
	return unsafe.String(unsafe.SliceData(octets), len(octets))
}

// decodeOp decodes a value to p.
type decodeOp func(r *reader, p unsafe.Pointer)

type decodePlan struct {
	fields []decodeField // by the other side's numbers
}

type decodeField struct {
	offset uintptr
	op     decodeOp
}

func (t *decodePlan) decode(r *reader, p unsafe.Pointer) {
	number := -1
	for {
		delta := r.uint()
		if delta == 0 {
			return // also when it was refused
		}
		if number += int(delta); delta > uint64(len(t.fields)) || number >= len(t.fields) {
			r.refuse()
			return
		}
		field := &t.fields[number]
		field.op(r, unsafe.Add(p, field.offset))
	}
}

func refused(r *reader, _ unsafe.Pointer) { r.refuse() }

// structOf returns the plan for a struct of the other side's into one of this side's.
func (d *Decoder) structOf(id int64, t reflect.Type) *decodePlan {
	key := planKey{id, t}
	if plan := d.structs[key]; plan != nil {
		return plan
	}
	plan := &decodePlan{}
	d.structs[key] = plan // types may be recursive

	for _, field := range d.types[id].fields { // opOf has seen that it is one
		found := decodeField{op: refused}
		if to, ok := t.FieldByName(field.name); ok && len(to.Index) == 1 && isSent(to) {
			found = decodeField{to.Offset, d.opOf(field.id, to.Type)}
		}
		plan.fields = append(plan.fields, found)
	}
	return plan
}

// opOf returns how a value of a type of the other side's becomes one of t.
func (d *Decoder) opOf(id int64, t reflect.Type) decodeOp {
	if encodesItself(t) {
		return refused
	}
	if t.Kind() == reflect.Pointer {
		if t.Elem().Kind() == reflect.Pointer {
			return refused
		}
		return decodePointer(d.opOf(id, t.Elem()), t.Elem())
	}
	if op := decodeOps[t.Kind()]; op != nil && idOf(t.Kind()) == id {
		return op
	}
	wire := d.types[id]
	switch {
	case t.Kind() == reflect.Struct && wire != nil && wire.kind == kindStruct:
		return d.structOf(id, t).decode
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && id == gobwire.Bytes:
		return decodeOctets
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 && wire != nil && wire.kind == kindSlice:
		return decodeSlice(d.opOf(wire.elem, t.Elem()), t)
	case isAnyMap(t) && wire != nil && wire.kind == kindMap && wire.key == gobwire.String && wire.elem == gobwire.Interface:
		return decodeAnyMap
	case t.Kind() == reflect.Interface && t.NumMethod() == 0 && id == gobwire.Interface:
		return decodeAny
	}
	return refused
}

var decodeOps = map[reflect.Kind]decodeOp{
	reflect.Bool:    func(r *reader, p unsafe.Pointer) { *(*bool)(p) = r.uint() != 0 },
	reflect.Int:     decodeInt[int],
	reflect.Int8:    decodeInt[int8],
	reflect.Int16:   decodeInt[int16],
	reflect.Int32:   decodeInt[int32],
	reflect.Int64:   decodeInt[int64],
	reflect.Uint:    decodeUint[uint],
	reflect.Uint8:   decodeUint[uint8],
	reflect.Uint16:  decodeUint[uint16],
	reflect.Uint32:  decodeUint[uint32],
	reflect.Uint64:  decodeUint[uint64],
	reflect.Float64: func(r *reader, p unsafe.Pointer) { *(*float64)(p) = r.float() },
	reflect.String:  func(r *reader, p unsafe.Pointer) { *(*string)(p) = r.string() },
}

func idOf(kind reflect.Kind) int64 {
	switch {
	case kind == reflect.Bool:
		return gobwire.Bool
	case kind <= reflect.Int64:
		return gobwire.Int
	case kind <= reflect.Uint64:
		return gobwire.Uint
	case kind == reflect.Float64:
		return gobwire.Float
	}
	return gobwire.String
}

func (r *reader) float() float64 { return math.Float64frombits(bits.ReverseBytes64(r.uint())) }

func decodeInt[T signed](r *reader, p unsafe.Pointer) {
	n := gobwire.ToInt(r.uint())
	if int64(T(n)) != n {
		r.refuse()
	}
	*(*T)(p) = T(n)
}

func decodeUint[T unsigned](r *reader, p unsafe.Pointer) {
	n := r.uint()
	if uint64(T(n)) != n {
		r.refuse()
	}
	*(*T)(p) = T(n)
}

func decodePointer(op decodeOp, to reflect.Type) decodeOp {
	return func(r *reader, p unsafe.Pointer) {
		target := (*unsafe.Pointer)(p)
		if *target == nil {
			*target = reflect.New(to).UnsafePointer()
		}
		op(r, *target)
	}
}

// decodeOctets decodes octets, none to nil.
func decodeOctets(r *reader, p unsafe.Pointer) {
	*(*[]byte)(p) = append([]byte(nil), r.octets()...)
}

func decodeSlice(op decodeOp, t reflect.Type) decodeOp {
	size := t.Elem().Size()
	return func(r *reader, p unsafe.Pointer) {
		n := r.uint()
		if n == 0 {
			return // nil, as before
		}
		if n > uint64(len(r.in)) { // each takes an octet at least
			r.refuse()
			return
		}
		made := reflect.MakeSlice(t, int(n), int(n))
		reflect.NewAt(t, p).Elem().Set(made)
		first := made.UnsafePointer()
		for i := uintptr(0); i < uintptr(n) && !r.refused; i++ {
			op(r, unsafe.Add(first, i*size))
		}
	}
}

// basic holds, by the names under which gob registers them, types that may be in interfaces and need no description.
var basic = map[string]struct {
	id     int64
	goType reflect.Type
}{
	"bool":    {gobwire.Bool, reflect.TypeFor[bool]()},
	"int":     {gobwire.Int, reflect.TypeFor[int]()},
	"int64":   {gobwire.Int, reflect.TypeFor[int64]()},
	"float64": {gobwire.Float, reflect.TypeFor[float64]()},
	"string":  {gobwire.String, reflect.TypeFor[string]()},
}

func decodeAny(r *reader, p unsafe.Pointer) {
	name := r.octets()
	if len(name) == 0 {
		return // nil
	}
	known, ok := basic[string(name)]
	if !ok || gobwire.ToInt(r.uint()) != known.id {
		r.refuse()
		return
	}
	length := r.uint()
	after := len(r.in) - int(length)
	if r.uint() != 0 {
		r.refuse()
		return
	}
	value := reflect.New(known.goType)
	decodeOps[known.goType.Kind()](r, value.UnsafePointer())
	if len(r.in) != after {
		r.refuse()
	}
	*(*any)(p) = value.Elem().Interface()
}

// decodeAnyMap decodes a map of texts to anything.
func decodeAnyMap(r *reader, p unsafe.Pointer) {
	n := r.uint()
	if n > uint64(len(r.in)) {
		r.refuse()
		return
	}
	values := make(map[string]any, n)
	for ; n > 0 && !r.refused; n-- {
		key := r.string()
		var value any
		decodeAny(r, unsafe.Pointer(&value))
		values[key] = value
	}
	*(*map[string]any)(p) = values
}
