package netrpcwire

import "github.com/mattermost-plugin/mattermost-plugin/go/internal/fastgob"

// maxBuffer is how large a buffer is kept for further messages.
const maxBuffer = 1 << 20

// messages encodes what goes over a stream: a header and a body each time. Types are described before they are first
// used, and never again.
type messages struct {
	encoder *fastgob.Encoder
	out     []byte // to be sent
	body    []byte
}

// newMessages describes types beforehand: registered ones that values may hold in interfaces within interfaces.
func newMessages(types []any) *messages {
	return &messages{encoder: fastgob.NewEncoder(types...)}
}

// add encodes a header and its body. If gob refuses the body there is neither, and what comes next is understood all
// the same.
func (m *messages) add(header, body any) error {
	encoded, err := m.encoder.Append(m.body[:0], body)
	if err == nil {
		m.out, err = m.encoder.Append(m.out, header)
	}
	m.out = append(m.out, encoded...) // of a body that was refused, descriptions of types
	if m.body = encoded; cap(encoded) > maxBuffer {
		m.body = nil
	}
	return err
}

// take returns what is to be sent; it is valid until the next call of add.
func (m *messages) take() []byte {
	out := m.out
	if m.out = out[:0]; cap(out) > maxBuffer {
		m.out = nil
	}
	return out
}
