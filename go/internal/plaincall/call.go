package plaincall

import (
	"context"
	"encoding/binary"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// call is one call on its way.
type call struct {
	link   *link
	leads  bool // it is to read
	alone  bool // it leads, and no others have waited at the same time since the last one that did
	stream uint32
	data   []byte // what came of the response
	held   int    // octets of it that the server may not send again yet

	// Set before done gets its value.
	failure error
	refused bool // the server certainly did nothing
	done    chan struct{}

	// In the place of done: called when the call has ended, by whoever ends it.
	then  func(*call)
	until time.Time // when it is to end at the latest; zero: that is for the one who waits to say
}

// hasEnded tells whether the call has ended, to the one who waits for it.
func (c *call) hasEnded() bool { return len(c.done) > 0 }

// wait waits for the end of the call, or of its context: then it is cancelled and the error says why.
func (c *call) wait(ctx context.Context) error {
	if c.leads {
		c.link.lead(c)
	}
	select {
	case <-c.done:
		return nil
	default:
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if c.link.cancel(c) {
			return status.FromContextError(ctx.Err()).Err()
		}
		<-c.done // its end came at the same moment
	}
	return nil
}

func (c *call) end(failure error) {
	c.failure = failure
	if c.then != nil {
		c.then(c)
	} else {
		c.done <- struct{}{}
	}
}

// outcome returns the message of the response of a call that has ended and was not refused. until is its deadline, zero if
// it has none.
func (c *call) outcome(until time.Time) ([]byte, error) {
	switch {
	case c.failure == nil:
		return c.message()
	case status.Code(c.failure) == codes.Canceled && !until.IsZero() && !time.Now().Before(until):
		return nil, errTooLate // the server's clock was first
	}
	return nil, c.failure
}

// deliver says how a call has ended.
func (c *call) deliver(then func(data []byte, failure error)) {
	switch {
	case c.refused:
		then(nil, ErrNotMade)
	case c.failure == nil && len(c.data) > maxKept: // if it has failed, data may still be written to
		go func() { then(c.outcome(c.until)) }() // it takes a while, and others wait
	default:
		then(c.outcome(c.until))
	}
}

// errTooLate is the end of a call at its deadline.
var errTooLate = status.FromContextError(context.DeadlineExceeded).Err()

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
