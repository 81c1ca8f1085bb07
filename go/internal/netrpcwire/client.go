package netrpcwire

import (
	"io"
	"net/rpc"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/fastgob"
)

// NewClient returns net/rpc's client over a stream. A call whose arguments gob refuses fails alone: types are values of
// those types that arguments may hold in interfaces within interfaces.
func NewClient(stream io.ReadWriteCloser, types ...any) *rpc.Client {
	return rpc.NewClientWithCodec(&clientCodec{
		stream:    stream,
		requests:  newMessages(types),
		responses: fastgob.NewDecoder(stream),
	})
}

// clientCodec is an rpc.ClientCodec that writes each request in one piece.
type clientCodec struct {
	stream    io.ReadWriteCloser
	requests  *messages
	responses *fastgob.Decoder
}

// WriteRequest implements rpc.ClientCodec.
func (c *clientCodec) WriteRequest(request *rpc.Request, args any) error {
	if err := c.requests.add(request, args); err != nil {
		return err
	}
	_, err := c.stream.Write(c.requests.take())
	return err
}

// ReadResponseHeader implements rpc.ClientCodec.
func (c *clientCodec) ReadResponseHeader(response *rpc.Response) error {
	return c.responses.Decode(response)
}

// ReadResponseBody implements rpc.ClientCodec.
func (c *clientCodec) ReadResponseBody(reply any) error {
	return c.responses.Decode(reply)
}

// Close implements rpc.ClientCodec.
func (c *clientCodec) Close() error { return c.stream.Close() }
