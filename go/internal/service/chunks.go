package service

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc/mem"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
)

// chunkSize is how many bytes a message of a stream carries: enough to make the cost per message small, little
// enough for many streams to share a connection.
const chunkSize = 256 * 1024

// chunkTag begins a message of a stream that carries a chunk, the field 2 of all of them.
const chunkTag = 2<<3 | 2

// smallChunk is up to where a chunk is copied out of the buffer that it was read into. gRPC counts the bytes that wait to
// be written and not the buffers they are in.
const smallChunk = chunkSize / 8

// sentChunk is a message with a chunk, for SendMsg. The codec sends the bytes as they are, where protobuf would copy
// them into memory that has to be cleared before.
type sentChunk struct{ data mem.Buffer }

func (c sentChunk) marshal() mem.BufferSlice {
	head := binary.AppendUvarint([]byte{chunkTag}, uint64(c.data.Len()))
	return mem.BufferSlice{mem.SliceBuffer(head), c.data}
}

// receivedPart is a message of a stream, for RecvMsg: a chunk if there is one, else what message says.
type receivedPart struct {
	message convert.Message
	chunk   []byte // until the next message is received
	isChunk bool
}

func (p *receivedPart) unmarshal(data mem.BufferSlice) error {
	reader := data.Reader()
	defer reader.Close()
	tag, err := reader.ReadByte()
	if err == nil && tag == chunkTag {
		size, err := binary.ReadUvarint(reader)
		if err == nil && size == uint64(reader.Remaining()) {
			if uint64(cap(p.chunk)) < size {
				p.chunk = make([]byte, size)
			}
			p.chunk, p.isChunk = p.chunk[:size], true
			_, err := io.ReadFull(reader, p.chunk)
			return err
		}
	}
	p.isChunk = false
	return p.message.Parse(data.Materialize())
}

// chunkBuffers are buffers for chunks that are sent.
var chunkBuffers = &bufferPool{sync.Pool{New: func() any {
	data := make([]byte, chunkSize)
	return &data
}}}

// bufferPool is a mem.BufferPool of buffers of one size.
type bufferPool struct{ sync.Pool }

// Get returns a buffer of at most chunkSize bytes.
func (p *bufferPool) Get(size int) *[]byte {
	data := p.Pool.Get().(*[]byte)
	*data = (*data)[:size]
	return data
}

// Put takes a buffer back.
func (p *bufferPool) Put(data *[]byte) { p.Pool.Put(data) }

// chunkReader reads the chunks of a stream. The next message is asked for when the last one is used up, so gRPC's
// flow control stops the sender while nobody reads.
type chunkReader struct {
	receive func(message any) error
	part    receivedPart
	rest    []byte
	err     error
}

func newChunkReader(message convert.Message, receive func(message any) error) *chunkReader {
	return &chunkReader{receive: receive, part: receivedPart{message: message}}
}

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && len(p) > 0 {
		if r.err != nil {
			return 0, r.err
		}
		if err := r.receive(&r.part); err != nil {
			r.err = err // io.EOF after the last chunk
			continue
		}
		if r.part.isChunk {
			r.rest = r.part.chunk
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// sendChunks splits data, which must not change any more, into the chunks of a stream.
func sendChunks(data []byte, send func(message any) error) error {
	for len(data) > 0 {
		n := min(len(data), chunkSize)
		if err := send(sentChunk{mem.SliceBuffer(data[:n])}); err != nil {
			return fmt.Errorf("send a chunk: %w", err)
		}
		data = data[n:]
	}
	return nil
}

// copyChunks sends what is read. Each read becomes a message. It returns the error of either side, nil at the end of
// what there is to read.
func copyChunks(read func(p []byte) (int, error), send func(message any) error) (readErr, sendErr error) {
	for {
		buffer := chunkBuffers.Get(chunkSize)
		n, err := read(*buffer)
		chunk := sentChunk{}
		if n > smallChunk {
			*buffer = (*buffer)[:n]
			chunk.data = mem.NewBuffer(buffer, chunkBuffers)
		} else {
			chunk.data = mem.SliceBuffer(bytes.Clone((*buffer)[:n]))
			chunkBuffers.Put(buffer)
		}
		if n > 0 {
			if err := send(chunk); err != nil {
				return nil, err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
	}
}
