package plaincall

import (
	"context"
	"encoding/binary"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/deadline"
)

// ServerCall is one call at the server. It is the grpc.ServerTransportStream of its handler, too.
type ServerCall struct {
	link    *serverLink
	stream  uint32
	request *request
	plain   bool // to be handled here, once the request is complete
	method  *method
	context deadline.Context
	header  metadata.MD
	trailer metadata.MD

	// Of a plain call, until it is complete, of the reading goroutine; of others guarded by the link's lock.
	data  []byte // of the request, not taken yet
	held  int    // octets that the client may not send again yet
	ended bool   // no more comes

	// Guarded by the link's lock.
	window    int // what may be sent
	begun     bool
	gone      bool // the client has cancelled it, or it has been answered
	forwarded bool
}

// start hands a call that is not plain on.
func (c *ServerCall) start() {
	if !c.plain {
		c.link.server.serving.Go(c.passOn)
	}
}

// credit lets the client send as much as was taken in.
func (c *ServerCall) credit() {
	read := c.held
	c.held = 0
	c.link.give(func(out []byte) []byte { return appendWindowUpdate(out, c.stream, read) })
}

// handle runs a plain call, whose request is complete.
func (c *ServerCall) handle() {
	defer c.context.End(context.Canceled)
	message, problem := singleMessage(c.data)
	if problem != "" {
		c.finish(status.New(codes.Internal, problem), nil)
		return
	}
	ctx := grpc.NewContextWithServerTransportStream(&c.context, c)
	decode := func(into any) error { return c.decode(message, into) }
	begun := time.Now()
	c.link.server.underWay.Add(1)
	out, err := c.method.handler(c.method.implementation, ctx, decode, nil)
	c.link.server.underWay.Add(-1)
	c.method.duration.learn(time.Since(begun))
	c.respond(out, err)
}

// respond sends a response, or how the call failed.
func (c *ServerCall) respond(out any, failure error) {
	if failure != nil {
		ended, ok := status.FromError(failure)
		if !ok {
			ended = status.FromContextError(failure) // as grpc-go has it; Unknown for what is no context's error
		}
		c.finish(ended, c.trailer)
		return
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	encoded, err := c.encode((*buffer)[:0], out)
	if err != nil {
		c.finish(status.Newf(codes.Internal, "the response cannot be encoded: %v", err), c.trailer)
		return
	}
	if cap(encoded) <= maxKept {
		*buffer = encoded
	}
	c.succeed(encoded)
}

// succeed ends the call with a message, which has its prefix.
func (c *ServerCall) succeed(message []byte) {
	if err := c.send(message); err == nil {
		c.finish(status.New(codes.OK, ""), c.trailer)
	}
}

// maxKept is how large a buffer may be that is kept for another response.
const maxKept = 64 << 10

func singleMessage(data []byte) ([]byte, string) {
	switch {
	case len(data) < messagePrefix:
		return nil, "the request has no message"
	case data[0] != 0:
		return nil, "the request is compressed without saying how"
	case len(data)-messagePrefix != int(binary.BigEndian.Uint32(data[1:])):
		return nil, "the request does not have the size that its message announces"
	}
	return data[messagePrefix:], ""
}

func (c *ServerCall) decode(message []byte, into any) error {
	if err := parseMessage(message, into); err != nil {
		return status.Errorf(codes.Internal, "the request cannot be read: %v", err)
	}
	return nil
}

// encode returns a response behind its prefix.
func (c *ServerCall) encode(out []byte, response any) ([]byte, error) {
	out = append(out, make([]byte, messagePrefix)...)
	if encoded, err := appendMessage(out, response); err == nil {
		return withSize(encoded), nil
	}
	buffers, err := c.link.server.codec.Marshal(response)
	if err != nil {
		return nil, err
	}
	defer buffers.Free()
	return withSize(append(out, buffers.Materialize()...)), nil
}

func withSize(message []byte) []byte {
	binary.BigEndian.PutUint32(message[1:], uint32(len(message)-messagePrefix))
	return message
}

// errGone means that nobody waits for the response.
var errGone = status.Error(codes.Canceled, "the caller is gone")

// send sends a message, with its prefix, as the client has room for it.
func (c *ServerCall) send(message []byte) error {
	l := c.link
	l.lock.Lock()
	for first := true; first || len(message) > 0; first = false {
		for len(message) > 0 && (l.window <= 0 || c.window <= 0) && !c.gone && !l.lost {
			l.changed.Wait()
		}
		if c.gone || l.lost {
			l.lock.Unlock()
			return errGone
		}
		if message = message[c.queue(message):]; len(message) > 0 {
			l.flush()
			l.lock.Lock()
		}
	}
	if !c.plain {
		l.flush()
		return nil
	}
	l.lock.Unlock() // finish comes at once, and writes both
	return nil
}

// room is how much of the response may be sent at once, with the link's lock held.
func (c *ServerCall) room() int { return max(0, min(c.link.window, c.window, c.link.maxFrame)) }

// queue queues as much of a message as there is room for, and returns how much that is, with the link's lock held.
func (c *ServerCall) queue(message []byte) int {
	c.begin()
	l, size := c.link, min(len(message), c.room())
	l.window -= size
	c.window -= size
	l.out = append(appendFrameHeader(l.out, size, frameData, 0, c.stream), message[:size]...)
	return size
}

// begin queues the head of the response, with the link's lock held.
func (c *ServerCall) begin() {
	if c.begun {
		return
	}
	c.begun = true
	block := responseHead
	if len(c.header) > 0 {
		block = appendMetadata(append([]byte(nil), responseHead...), c.header)
	}
	c.link.out = append(appendFrameHeader(c.link.out, len(block), frameHeaders, flagEndHeaders, c.stream), block...)
}

// finish ends the call with a status.
func (c *ServerCall) finish(ended *status.Status, trailer metadata.MD) {
	c.link.lock.Lock()
	c.end(ended, trailer)
}

// end is finish with the link's lock held, which it unlocks.
func (c *ServerCall) end(ended *status.Status, trailer metadata.MD) {
	l := c.link
	if c.gone || l.lost {
		l.lock.Unlock()
		return
	}
	c.gone = true
	complete := c.plain || c.ended
	delete(l.calls, c.stream)
	block := okTrailers
	if !c.begun {
		block = appendStatus(appendMetadata(append([]byte(nil), responseHead...), c.header), ended, trailer)
	} else if ended.Code() != codes.OK || len(trailer) > 0 {
		block = appendStatus(nil, ended, trailer)
	}
	l.out = append(appendFrameHeader(l.out, len(block), frameHeaders, flagEndHeaders|flagEndStream, c.stream), block...)
	if !complete {
		l.out = appendReset(l.out, c.stream, codeNoError) // the rest of the request is not wanted
	}
	l.changed.Broadcast()
	if l.putsOff && len(l.out) < mostPutOff {
		l.lock.Unlock()
		return // the goroutine that reads writes it soon
	}
	if c.forwarded {
		l.flushSoon()
		l.lock.Unlock()
		return
	}
	l.yields = len(l.calls) > l.crowded
	l.flush()
}

// Method, SetHeader, SendHeader and SetTrailer make a grpc.ServerTransportStream.

func (c *ServerCall) Method() string { return c.request.path }

func (c *ServerCall) SetHeader(md metadata.MD) error {
	c.header = metadata.Join(c.header, md)
	return nil
}

func (c *ServerCall) SendHeader(md metadata.MD) error {
	if err := c.SetHeader(md); err != nil {
		return err
	}
	c.link.lock.Lock()
	if c.gone || c.link.lost {
		c.link.lock.Unlock()
		return errGone
	}
	c.begin()
	c.link.flush()
	return nil
}

func (c *ServerCall) SetTrailer(md metadata.MD) error {
	c.trailer = metadata.Join(c.trailer, md)
	return nil
}

// octetsCodec carries messages as they are.
type octetsCodec struct{}

func (octetsCodec) Name() string { return "" }

func (octetsCodec) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*message.(*[]byte))}, nil
}

func (octetsCodec) Unmarshal(data mem.BufferSlice, into any) error {
	*into.(*[]byte) = data.Materialize()
	return nil
}
