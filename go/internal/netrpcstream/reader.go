package netrpcstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// askedAtOnce is how many bytes the sender is asked for at a time, twice ahead. Both together fit into the window of a
// stream (256 KiB, of which half may be used and not granted anew), so a sender whose bytes nobody wants any more is
// never held up on its way to the news that the stream is closed.
const askedAtOnce = 64 << 10

// NewReader returns a reader of what a reader of Mattermost's plugin package reads: the file of FileWillBeUploaded. It
// asks ahead, so that a read does not cost a round trip, and never for more than it will take. Another reader is
// returned as it is.
func NewReader(reader io.Reader) io.Reader {
	if stream := Of(reader); stream != nil {
		return &askingReader{stream: stream}
	}
	return reader
}

type askingReader struct {
	stream io.ReadWriter
	asked  int // bytes that were asked for and have not come
}

// Read implements io.Reader.
func (r *askingReader) Read(p []byte) (int, error) {
	for r.asked <= askedAtOnce {
		var wish [binary.MaxVarintLen64]byte
		if _, err := r.stream.Write(wish[:binary.PutVarint(wish[:], askedAtOnce)]); err != nil {
			return 0, fmt.Errorf("ask for more of the stream: %w", err)
		}
		r.asked += askedAtOnce
	}
	n, err := r.stream.Read(p)
	r.asked -= n
	return n, err
}

// askedOfBody is how many bytes of a body the server is asked for at a time, before the last of what it was asked for
// arrives. It sends them as they come.
const askedOfBody = 1 << 20

// Body reads the body of a request from its stream: it writes the number of bytes it would like as a varint, the server
// answers with that many, or fewer and the end of the stream. It may be closed while it is read.
type Body struct {
	stream io.ReadWriteCloser
	asked  atomic.Int64 // bytes that were asked for and have not come
	ended  atomic.Bool
}

// NewBody returns the body that comes on a stream. Nothing is asked for before the first read, since that makes the
// server tell a client which waits for it to send its body.
func NewBody(stream io.ReadWriteCloser) *Body { return &Body{stream: stream} }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.asked.Load() < askedOfBody/2 {
		var wish [binary.MaxVarintLen64]byte
		if _, err := b.stream.Write(wish[:binary.PutVarint(wish[:], askedOfBody)]); err != nil {
			// The server ends the stream when it has no more. What it sent before may still be there to read.
			n, readErr := b.read(p)
			if readErr == nil || errors.Is(readErr, io.EOF) {
				return n, readErr
			}
			return n, err
		}
		b.asked.Add(askedOfBody)
	}
	return b.read(p)
}

func (b *Body) read(p []byte) (int, error) {
	n, err := b.stream.Read(p)
	b.asked.Add(-int64(n))
	if err != nil {
		b.ended.Store(true)
	}
	return n, err
}

// Close implements io.Closer. What the server was asked for and has not sent is more than the stream has room for: it
// would wait for room, and not see that the stream is closed.
func (b *Body) Close() error {
	err := b.stream.Close()
	if !b.ended.Swap(true) && b.asked.Load() > 0 {
		go func() { _, _ = io.Copy(io.Discard, b.stream) }() // ends when the server closes its side
	}
	return err
}
