package plaincall

import (
	"encoding/binary"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// call is one call on its way.
type call struct {
	stream uint32
	data   []byte // what came of the response
	held   int    // octets of it that the server may not send again yet

	// Set before done gets its value.
	failure error
	refused bool // the server certainly did nothing
	done    chan struct{}
}

func (c *call) end(failure error) {
	c.failure = failure
	c.done <- struct{}{}
}

// message returns the one message of a response that ended with OK.
func (c *call) message() ([]byte, error) {
	if len(c.data) < messagePrefix {
		return nil, status.Error(codes.Internal, "the response has no message")
	}
	size := int(binary.BigEndian.Uint32(c.data[1:]))
	switch {
	case c.data[0] != 0:
		return nil, status.Error(codes.Internal, "the response is compressed, which was not offered")
	case len(c.data) != messagePrefix+size:
		return nil, status.Errorf(codes.Internal, "the response has %d octets where its message has %d", len(c.data)-messagePrefix, size)
	}
	return c.data[messagePrefix:], nil
}
