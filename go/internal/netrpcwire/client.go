package netrpcwire

import (
	"errors"
	"io"
	"net/rpc"
	"sync"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/fastgob"
)

// Client is net/rpc's client over a stream, which makes calls of another kind as well: see Begin.
type Client struct {
	*rpc.Client
	codec *clientCodec
}

// NewClient returns a client over a stream. A call whose arguments gob refuses fails alone: types are values of those
// types that arguments may hold in interfaces within interfaces.
func NewClient(stream io.ReadWriteCloser, types ...any) *Client {
	codec := &clientCodec{
		stream: stream, requests: newMessages(types), responses: fastgob.NewDecoder(stream),
		begun: map[uint64]begun{}, next: firstBegun, over: make(chan struct{}),
	}
	return &Client{rpc.NewClientWithCodec(codec), codec}
}

// Over is closed when no response can be read any more.
func (c *Client) Over() <-chan struct{} { return c.codec.over }

// largeReply is what takes a while to make something of.
const largeReply = 64 << 10

// Begin begins a call and tells whether it has: if not, nothing was sent, and Go may say why. then is called once, when
// reply has been filled or with how the call failed, as net/rpc has it. It is called on the goroutine that reads, unless
// the reply is a large one, and must not wait for anything that depends on other calls.
func (c *Client) Begin(method string, args, reply any, then func(error)) bool {
	return c.codec.begin(method, args, begun{reply, then})
}

// begun is a call that Begin began.
type begun struct {
	reply any
	then  func(error)
}

// firstBegun is the number of the first of those. net/rpc's client counts its own from 0.
const firstBegun = 1 << 48

// clientCodec is an rpc.ClientCodec that writes each request in one piece. Responses to calls that were begun do not come
// to net/rpc's client.
type clientCodec struct {
	stream    io.ReadWriteCloser
	responses *fastgob.Decoder // of who reads

	lock     sync.Mutex
	requests *messages
	begun    map[uint64]begun
	next     uint64
	ended    bool          // nothing is read any more
	over     chan struct{} // closed when ended is set
}

// WriteRequest implements rpc.ClientCodec.
func (c *clientCodec) WriteRequest(request *rpc.Request, args any) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.write(request, args)
}

// write writes a request, with the lock held.
func (c *clientCodec) write(request *rpc.Request, args any) error {
	if err := c.requests.add(request, args); err != nil {
		return err
	}
	_, err := c.stream.Write(c.requests.take())
	return err
}

func (c *clientCodec) begin(method string, args any, call begun) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.ended {
		return false
	}
	number := c.next
	c.next++
	c.begun[number] = call
	if err := c.write(&rpc.Request{ServiceMethod: method, Seq: number}, args); err != nil {
		delete(c.begun, number)
		return false
	}
	return true
}

// ReadResponseHeader implements rpc.ClientCodec: it returns with the next response that is net/rpc's.
func (c *clientCodec) ReadResponseHeader(response *rpc.Response) error {
	for {
		err := c.responses.Decode(response)
		if err == nil && response.Seq < firstBegun {
			return nil
		}
		if err == nil {
			err = c.readBegun(response)
		}
		if err != nil {
			c.end(err)
			return err
		}
		*response = rpc.Response{}
	}
}

// readBegun reads the body of a response to a call that was begun.
func (c *clientCodec) readBegun(response *rpc.Response) error {
	c.lock.Lock()
	call, known := c.begun[response.Seq]
	delete(c.begun, response.Seq)
	c.lock.Unlock()
	switch {
	case !known:
		return c.responses.Decode(nil)
	case response.Error != "":
		err := c.responses.Decode(nil)
		call.then(rpc.ServerError(response.Error))
		return err
	}
	err := c.responses.Decode(call.reply)
	switch {
	case err != nil:
		call.then(errors.New("reading body " + err.Error()))
	case c.responses.Size() > largeReply:
		go call.then(nil)
	default:
		call.then(nil)
	}
	return err
}

// ReadResponseBody implements rpc.ClientCodec.
func (c *clientCodec) ReadResponseBody(reply any) error {
	err := c.responses.Decode(reply)
	if err != nil {
		c.end(err) // net/rpc reads on after none
	}
	return err
}

// end ends what was begun when nothing is read any more.
func (c *clientCodec) end(why error) {
	if errors.Is(why, io.EOF) {
		why = io.ErrUnexpectedEOF
	}
	c.lock.Lock()
	if !c.ended {
		c.ended = true
		close(c.over)
	}
	lost := c.begun
	c.begun = nil
	c.lock.Unlock()
	for _, call := range lost {
		call.then(why)
	}
}

// Close implements rpc.ClientCodec.
func (c *clientCodec) Close() error { return c.stream.Close() }
