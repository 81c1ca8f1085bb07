package netrpcwire

import (
	"bytes"
	"encoding/gob"
)

// maxBuffer is how large a buffer is kept for further messages.
const maxBuffer = 1 << 20

// messages encodes what goes over a stream: a header and a body each time. Types are described before they are first
// used, and never again.
type messages struct {
	encoder *gob.Encoder
	to      *bytes.Buffer // where the encoder writes
	out     bytes.Buffer  // to be sent
	body    bytes.Buffer
	last    int // where in to begins what the encoder wrote last
}

// newMessages describes types beforehand: registered ones that values may hold in interfaces within interfaces. gob
// puts their descriptions into the value that has them first, and takes them for known even if it refuses that value.
func newMessages(types []any) *messages {
	m := &messages{}
	m.encoder = gob.NewEncoder(encoded{m})
	m.to = &m.out
	for _, value := range types {
		if m.encoder.Encode(value) == nil { // what gob refuses it refuses wherever it is
			m.out.Truncate(m.last) // the value, which comes behind all descriptions
		}
	}
	return m
}

// encoded is where the encoder writes.
type encoded struct{ *messages }

// Write takes one description of a type, or a value.
func (e encoded) Write(p []byte) (int, error) {
	e.last = e.to.Len()
	return e.to.Write(p)
}

// add encodes a header and its body. If gob refuses the body there is neither, and what comes next is understood all
// the same.
func (m *messages) add(header, body any) error {
	m.to = &m.body
	err := m.encoder.Encode(body)
	if err == nil {
		m.to = &m.out
		err = m.encoder.Encode(header)
	}
	_, _ = m.out.Write(m.body.Bytes()) // of a body that was refused, descriptions of types; a buffer takes everything
	if m.body.Reset(); m.body.Cap() > maxBuffer {
		m.body = bytes.Buffer{}
	}
	return err
}

// take returns what is to be sent; it is valid until the next call of add.
func (m *messages) take() []byte {
	out := m.out.Bytes()
	if m.out.Reset(); m.out.Cap() > maxBuffer {
		m.out = bytes.Buffer{}
	}
	return out
}
