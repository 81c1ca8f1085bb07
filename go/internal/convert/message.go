package convert

// Message is a request, a response or a part of a stream.
type Message interface {
	// Append appends the encoding of the message.
	Append(b []byte) []byte
	// Parse sets what is encoded in data, for a message that is its zero value. The message keeps data, whose owner
	// must not change it any more.
	Parse(data []byte) error
}

// Part is a message of a stream: a head, which holds the plain arguments or results, or else a chunk of bytes.
type Part[H any, P Head[H]] struct {
	Head  *H
	Chunk []byte
}

// Head is what a Part needs of its head.
type Head[H any] interface {
	*H
	append(b []byte) []byte
	parse(in source) error
}

const (
	partHead  = 1<<3 | octets
	partChunk = 2<<3 | octets
)

// Append implements Message.
func (m *Part[H, P]) Append(b []byte) []byte {
	if m.Head == nil {
		return appendSetBytes(b, partChunk, m.Chunk)
	}
	b, start := begin(b, partHead)
	return end(P(m.Head).append(b), start)
}

// Parse implements Message.
func (m *Part[H, P]) Parse(data []byte) error {
	var part oneof
	finish := func(part oneof) error {
		switch part.tag {
		case partHead:
			m.Head, m.Chunk = new(H), nil
			return P(m.Head).parse(part.in)
		case partChunk:
			m.Head, m.Chunk = nil, part.in.bytes()
		}
		return nil
	}
	f := newSource(data).fields()
	for f.next() {
		switch f.tag {
		case partHead:
			part.merge(&f, finish)
		case partChunk:
			part.set(&f, finish)
		}
	}
	f.fail(finish(part))
	return f.err
}
