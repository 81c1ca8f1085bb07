package netrpcstream

import (
	"encoding/binary"
	"fmt"
	"io"
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
