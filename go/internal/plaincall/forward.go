package plaincall

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// maxForwarded is how large a request may be that is taken apart on the goroutine that reads.
const maxForwarded = 64 << 10

// forward has a call begun whose request is complete, and tells whether it has been.
func (l *serverLink) forward(c *ServerCall) bool {
	if c.method.begin == nil || len(c.data) > maxForwarded {
		return false
	}
	several := l.frames.holdsFrame()
	l.lock.Lock()
	if !several && len(l.calls) < 2 {
		l.lock.Unlock()
		return false
	}
	c.forwarded = true // before it is: the answer may come at once
	if deadline, ok := c.context.Deadline(); ok {
		l.alarm.set(deadline, l.expire)
	}
	l.lock.Unlock()
	l.server.underWay.Add(1)
	if c.method.begin(c) {
		return true
	}
	l.server.underWay.Add(-1)
	l.lock.Lock()
	c.forwarded = false
	l.lock.Unlock()
	return false
}

// expire ends calls that were forwarded and whose time is up. Answers to them find nobody who waits.
func (l *serverLink) expire() {
	l.lock.Lock()
	now := l.alarm.rang()
	var late []*ServerCall
	for _, c := range l.calls {
		deadline, ok := c.context.Deadline()
		switch {
		case !ok || !c.forwarded:
		case now.Before(deadline):
			l.alarm.set(deadline, l.expire)
		default:
			late = append(late, c)
		}
	}
	l.lock.Unlock()
	for _, c := range late {
		c.finish(status.New(codes.DeadlineExceeded, context.DeadlineExceeded.Error()), nil)
	}
}

// Parse reads the request of a call that is being forwarded.
func (c *ServerCall) Parse(into Message) error {
	message, problem := singleMessage(c.data)
	if problem != "" {
		return status.Error(codes.Internal, problem)
	}
	return c.decode(message, into)
}

// Context is what a handler of the call would have: trailers can be set with it.
func (c *ServerCall) Context() context.Context {
	return grpc.NewContextWithServerTransportStream(&c.context, c)
}

// Answer ends a call that was forwarded, with its response or with how it failed. It does not wait for the client.
func (c *ServerCall) Answer(response Message, failure error) {
	l := c.link
	l.server.underWay.Add(-1)
	if failure != nil {
		c.respond(nil, failure)
		return
	}
	buffer := buffers.Get().(*[]byte)
	message := withSize(response.Append(append((*buffer)[:0], make([]byte, messagePrefix)...)))
	l.lock.Lock()
	if !c.gone && !l.lost && len(message) > c.room() {
		l.lock.Unlock()
		go c.succeed(message) // as the client has room for it
		return
	}
	if !c.gone && !l.lost {
		c.queue(message)
	}
	c.end(status.New(codes.OK, ""), c.trailer)
	if cap(message) <= maxKept {
		*buffer = message
	}
	buffers.Put(buffer)
}
