package convert

import (
	"bytes"
	"errors"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// maxShared is how large a message may be whose texts stay where they are in it: one that is kept keeps all of it.
	maxShared = 1024
	// minShared is from where on a message within a larger one is worth an allocation that its texts share.
	minShared = 64
	// maxDepth is how deep messages nest, as in package proto.
	maxDepth = protowire.DefaultRecursionLimit
)

var (
	errDepth  = errors.New("messages are nested too deep")
	errText   = errors.New("a text is not UTF-8")
	errNumber = errors.New("a field has an impossible number")
)

// source is an encoded message.
type source struct {
	data   []byte
	size   int  // of the memory it lies in
	shared bool // texts may lie in that memory
	depth  int  // how many more messages may be inside each other
}

func newSource(data []byte) source {
	return source{data: data, size: len(data), shared: len(data) <= maxShared, depth: maxDepth - 1}
}

// part is a piece of the source.
func (s source) part(data []byte) source {
	if !s.shared && len(data) >= minShared && len(data) <= maxShared {
		return source{data: bytes.Clone(data), size: len(data), shared: true, depth: s.depth}
	}
	s.data = data
	return s
}

// keeps says whether what lies in the source may stay there, without keeping much more than itself.
func (s *source) keeps(data []byte) bool {
	return s.shared || len(data) >= s.size/2
}

func (s *source) textOf(data []byte) string {
	if s.keeps(data) {
		return unsafe.String(unsafe.SliceData(data), len(data)) // nobody changes it, see Message
	}
	return string(data)
}

// bytesOf returns bytes which nothing else lies in.
func (s *source) bytesOf(data []byte) []byte {
	if s.keeps(data) {
		return data[:len(data):len(data)]
	}
	return append([]byte{}, data...)
}

func (s source) bytes() []byte { return s.bytesOf(s.data) }

func (s source) text() (string, error) {
	if !utf8.Valid(s.data) {
		return "", errText
	}
	return s.textOf(s.data), nil
}

func (s source) fields() fields { return fields{source: s, rest: s.data} }

// fields reads the fields of a message one after the other.
type fields struct {
	source
	rest []byte // what has not been read

	// The field that was read last.
	tag   uint64
	value uint64 // of a number
	field []byte // of all others: what they hold

	err error
}

// next reads a field. There is none at the end, and after an error.
func (f *fields) next() bool {
	b := f.rest
	if len(b) == 0 {
		return false
	}
	if b[0] < 0x80 {
		f.tag, b = uint64(b[0]), b[1:]
	} else {
		tag, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return f.broken(n)
		}
		f.tag, b = tag, b[n:]
	}
	if number := f.tag >> 3; number < uint64(protowire.MinValidNumber) || number > uint64(protowire.MaxValidNumber) {
		f.fail(errNumber)
		return false
	}
	switch f.tag & 7 {
	case varint:
		if len(b) > 0 && b[0] < 0x80 {
			f.value, f.rest = uint64(b[0]), b[1:]
			return true
		}
		value, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return f.broken(n)
		}
		f.value, f.rest = value, b[n:]
	case octets:
		if len(b) > 0 && int(b[0]) < 0x80 && int(b[0]) < len(b) {
			size := int(b[0]) + 1
			f.field, f.rest = b[1:size], b[size:]
			return true
		}
		field, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return f.broken(n)
		}
		f.field, f.rest = field, b[n:]
	case fixed64:
		value, n := protowire.ConsumeFixed64(b)
		if n < 0 {
			return f.broken(n)
		}
		f.value, f.rest = value, b[n:]
	default:
		n := protowire.ConsumeFieldValue(protowire.Number(f.tag>>3), protowire.Type(f.tag&7), b)
		if n < 0 {
			return f.broken(n)
		}
		f.rest = b[n:]
	}
	return true
}

func (f *fields) broken(n int) bool {
	f.fail(protowire.ParseError(n))
	return false
}

// fail ends reading, unless there is no error.
func (f *fields) fail(err error) {
	if err != nil && f.err == nil {
		f.err, f.rest = err, nil
	}
}

// text returns the text that a field is.
func (f *fields) text() string {
	if !utf8.Valid(f.field) {
		f.fail(errText)
		return ""
	}
	return f.textOf(f.field)
}

// bytes returns the bytes that a field is, nil for none.
func (f *fields) bytes() []byte {
	if len(f.field) == 0 {
		return nil
	}
	return f.bytesOf(f.field)
}

// setBytes is bytes for a field which tells none from not being there.
func (f *fields) setBytes() []byte { return f.bytesOf(f.field) }

// inside returns a message within this one.
func (f *fields) inside(data []byte) source {
	in := f.part(data)
	if in.depth--; in.depth < 0 {
		f.fail(errDepth)
		return source{}
	}
	return in
}

// element returns the message that a field is, of a list or map.
func (f *fields) element() source { return f.inside(f.field) }

// pieces is a message within another one. It may come in several pieces, which are read all together: that is not what
// anybody writes, but what protobuf says. So it can be read only when the other one has come to its end.
type pieces struct {
	data []byte // nil: the message is not there
}

// add adds what was read.
func (p *pieces) add(f *fields) {
	if p.data == nil {
		p.data = f.field[:len(f.field):len(f.field)]
		return
	}
	if len(p.data) == cap(p.data) { // which is so after the first
		f.fail(wellFormed(source{data: p.data}))
	}
	f.fail(wellFormed(source{data: f.field}))
	p.data = append(p.data, f.field...)
}

// wellFormed checks that a message consists of fields: only then it can be read together with another one.
func wellFormed(in source) error {
	f := in.fields()
	for f.next() {
	}
	return f.err
}

// count is how often the field is there from here on, as far as no other comes between.
func (f *fields) count() int {
	count := 1
	for ahead := (fields{rest: f.rest}); ahead.next() && ahead.tag == f.tag; {
		count++
	}
	return count
}

// oneof is a field of which only one of several kinds is there: the one that came last.
type oneof struct {
	tag   uint64
	value uint64
	in    source // in.data is what pieces have
}

// set takes what was read. finish reads what was there before, which must be readable although it does not count.
func (o *oneof) set(f *fields, finish func(oneof) error) {
	f.fail(finish(*o))
	in := f.source
	in.data = f.field
	*o = oneof{tag: f.tag, value: f.value, in: in}
}

// merge is set for a message, which goes together with one of the same kind.
func (o *oneof) merge(f *fields, finish func(oneof) error) {
	if o.tag != f.tag {
		f.fail(finish(*o))
		*o = oneof{tag: f.tag}
	}
	together := pieces{o.in.data}
	together.add(f)
	o.in = f.inside(together.data)
}
