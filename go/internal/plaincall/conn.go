package plaincall

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Conn is a grpc.ClientConnInterface that makes plain calls by itself and leaves the others to grpc-go.
type Conn struct {
	general grpc.ClientConnInterface
	dial    func() (net.Conn, error)
	blocks  requestBlocks

	lock   sync.Mutex
	link   *link
	closed bool
}

// New returns a connection beside a general one to the same server. dial makes a further, unencrypted connection, a
// socket of the system; it is called when it is needed. nil: all calls are general.
func New(general grpc.ClientConnInterface, dial func() (net.Conn, error)) *Conn {
	return &Conn{general: general, dial: dial}
}

// NewStream begins a streaming call, over the general connection.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.general.NewStream(ctx, desc, method, options...)
}

// Close ends the plain calls that run, with codes.Unavailable. The general connection is not closed.
func (c *Conn) Close() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.closed = true
	if c.link != nil {
		c.link.close()
	}
}

// Invoke makes a call.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	reached, plain := plainOptions(options)
	if !encodes(args) || !encodes(reply) || !plain || c.dial == nil {
		return c.general.Invoke(ctx, method, args, reply, options...)
	}
	if _, ok := metadata.FromOutgoingContext(ctx); ok {
		return c.general.Invoke(ctx, method, args, reply, options...)
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	message, err := appendMessage((*buffer)[:0], args)
	if err != nil || len(message) > maxFrame-messagePrefix {
		return c.general.Invoke(ctx, method, args, reply, options...)
	}
	*buffer = message

	running, err := c.start(ctx, method, message)
	if err != nil {
		return err
	}
	if running == nil {
		return c.general.Invoke(ctx, method, args, reply, options...)
	}
	if reached != nil {
		reached.Addr = running.link.socket.RemoteAddr()
	}
	if err := running.wait(ctx); err != nil {
		return err
	}
	if running.refused {
		if reached != nil {
			reached.Addr = nil
		}
		return c.general.Invoke(ctx, method, args, reply, options...)
	}
	deadline, _ := ctx.Deadline()
	data, err := running.outcome(deadline)
	if err != nil {
		return err
	}
	if err := parseMessage(data, reply); err != nil {
		return status.Errorf(codes.Internal, "the response of %s cannot be read: %v", method, err)
	}
	return nil
}

// buffers hold requests while they are being written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// ErrNotMade is how a call ends of which the server has certainly seen nothing.
var ErrNotMade = errors.New("the call has not been made")

// Begin begins a plain call and tells whether it has: if not, nothing was done, and Invoke may do it. then is called once,
// with the encoded message of the response or how the call failed: as Invoke fails, or with ErrNotMade. It is called on the
// goroutine that reads for all calls, unless the response is a large one, and must not wait for anything that depends on
// other calls. Zero is no deadline.
//
// Requests are written a few together, on another goroutine: who begins calls is not held up by a server that does not
// read.
func (c *Conn) Begin(method string, deadline time.Time, args Message, then func(data []byte, failure error)) bool {
	if c.dial == nil {
		return false
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	message := args.Append((*buffer)[:0])
	if len(message) > maxFrame-messagePrefix {
		return false
	}
	*buffer = message
	link := c.connected()
	if link == nil {
		return false
	}
	block := c.block(method, deadline)
	if block == nil {
		return false
	}
	return link.begin(&call{link: link, until: deadline, then: func(ended *call) { ended.deliver(then) }}, block, message)
}

// start sends a request. Without an error and a call it is one for the general connection.
func (c *Conn) start(ctx context.Context, method string, message []byte) (*call, error) {
	deadline, _ := ctx.Deadline()
	block := c.block(method, deadline)
	if block == nil {
		return nil, errTooLate
	}
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	link := c.connected()
	if link == nil {
		return nil, nil
	}
	running := &call{link: link, done: make(chan struct{}, 1)}
	if !link.start(running, block, message) {
		return nil, nil
	}
	return running, nil
}

// block returns the header block of a request; zero is no deadline. nil: the deadline has passed.
func (c *Conn) block(method string, deadline time.Time) []byte {
	block := c.blocks.get(method)
	if deadline.IsZero() {
		return block
	}
	left := time.Until(deadline)
	if left <= 0 {
		return nil
	}
	return appendTimeout(block[:len(block):len(block)], left)
}

// connected returns a link that takes calls, nil if there is none to be had: then the general connection knows why.
func (c *Conn) connected() *link {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.closed {
		return nil
	}
	if c.link != nil {
		c.link.look()
	}
	if c.link == nil || !c.link.isOpen() {
		socket, err := c.dial()
		if err != nil {
			return nil
		}
		link, err := newLink(socket)
		if err != nil {
			return nil
		}
		c.link = link
	}
	return c.link
}

// plainOptions tells whether a call with these options can be a plain one, and returns where its peer is to be written
// to, if it is. How the general codec differs from protobuf's shows only in messages that cannot be encoded here, which
// go the general way; waiting for a connection is what the general way does.
func plainOptions(options []grpc.CallOption) (*peer.Peer, bool) {
	var reached *peer.Peer
	for _, option := range options {
		switch option := option.(type) {
		case grpc.PeerCallOption:
			reached = option.PeerAddr
		case grpc.ForceCodecV2CallOption, grpc.FailFastCallOption, grpc.StaticMethodCallOption:
		default:
			return nil, false
		}
	}
	return reached, true
}
