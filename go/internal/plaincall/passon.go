package plaincall

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// passOn carries a call to the general server and its answer back, message by message. Each side takes the next one
// when the other has taken the last, so that little is held here.
func (c *ServerCall) passOn() {
	ctx, cancel := context.WithCancel(&c.context)
	defer cancel()
	defer c.context.End(context.Canceled)
	if c.request.metadata != nil {
		ctx = metadata.NewOutgoingContext(ctx, c.request.metadata)
	}
	onward, err := c.link.server.onward.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, c.request.path, grpc.WaitForReady(true))
	if err != nil {
		c.finish(status.Convert(err), nil)
		return
	}
	sent := make(chan struct{})
	c.link.server.serving.Go(func() {
		defer close(sent)
		if problem := c.sendOn(onward); problem != nil {
			c.finish(status.New(codes.Internal, problem.Error()), nil)
			cancel()
		}
	})
	c.answer(onward)
	cancel()
	c.wake()
	<-sent
}

// wake lets a goroutine that waits for more of the request see that the call has ended.
func (c *ServerCall) wake() {
	c.link.lock.Lock()
	defer c.link.lock.Unlock()
	c.gone = true
	c.link.changed.Broadcast()
}

// sendOn passes the messages of the request on. The error says what is wrong with it.
func (c *ServerCall) sendOn(onward grpc.ClientStream) error {
	for {
		message, err := c.next()
		if errors.Is(err, io.EOF) {
			_ = onward.CloseSend() // an error of the stream comes with the answer
			return nil
		}
		if err != nil {
			return err
		}
		if message == nil || onward.SendMsg(&message) != nil {
			return nil // the call has ended; its status comes with the answer
		}
	}
}

// next waits for the next message of the request: io.EOF after the last one, nil if the call has ended.
func (c *ServerCall) next() ([]byte, error) {
	l := c.link
	l.lock.Lock()
	for {
		if c.gone || l.lost {
			l.lock.Unlock()
			return nil, nil
		}
		if len(c.data) >= messagePrefix {
			if c.data[0] != 0 {
				l.lock.Unlock()
				return nil, errors.New("the request is compressed without saying how")
			}
			size := messagePrefix + int(binary.BigEndian.Uint32(c.data[1:]))
			if len(c.data) >= size {
				message := c.data[messagePrefix:size:size]
				if c.data = c.data[size:]; len(c.data) == 0 {
					c.data = nil
				}
				// What waits behind the message keeps its room, or a fast client would fill the memory.
				c.grant(min(c.held, size))
				return message, nil
			}
		} else if c.ended {
			l.lock.Unlock()
			if len(c.data) > 0 {
				return nil, errors.New("the request ended within a message")
			}
			return nil, io.EOF
		}
		if c.ended {
			l.lock.Unlock()
			return nil, errors.New("the request ended within a message")
		}
		if c.held > streamWindow/2 { // a message larger than the window
			c.grant(c.held)
			l.lock.Lock()
			continue
		}
		l.changed.Wait()
	}
}

// grant gives the client back room for that many octets, and unlocks the link.
func (c *ServerCall) grant(read int) {
	c.held -= read
	if read > 0 && !c.ended {
		c.link.out = appendWindowUpdate(c.link.out, c.stream, read)
	}
	c.link.flush()
}

// answer passes the response back.
func (c *ServerCall) answer(onward grpc.ClientStream) {
	header, err := onward.Header()
	if err == nil {
		delete(header, "content-type")
		c.header = header
	}
	for {
		var message []byte
		if err := onward.RecvMsg(&message); err != nil {
			ended := status.New(codes.OK, "")
			if !errors.Is(err, io.EOF) {
				ended = status.Convert(err)
			}
			c.finish(ended, onward.Trailer())
			return
		}
		prefixed := make([]byte, messagePrefix, messagePrefix+len(message))
		if c.send(withSize(append(prefixed, message...))) != nil {
			return
		}
	}
}
