package netrpchttp

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/gobwire"
)

// client calls the methods of a response over a stream of its own, one after another on the goroutines that want it.
type client struct {
	conn    net.Conn
	reader  *bufio.Reader
	seq     uint64
	out, in []byte
	defined struct{ request, empty, header bool } // what the server knows already
}

const (
	// outSize is the size of the buffer for what is sent: with that much of the body a call is one write.
	outSize = 16 << 10

	// keptSize is the size of the largest buffers that are kept.
	keptSize = 64 << 10
)

// buffers are clients without a connection, for what they have allocated.
var buffers = sync.Pool{New: func() any {
	return &client{reader: bufio.NewReaderSize(nil, 1024), out: make([]byte, 0, outSize), in: make([]byte, 1024)}
}}

func newClient(conn net.Conn) *client {
	c := buffers.Get().(*client)
	c.conn = conn
	c.reader.Reset(conn)
	return c
}

// close ends the stream. The client must not be used any more.
func (c *client) close() error {
	conn := c.conn
	if max(cap(c.out), cap(c.in)) <= keptSize {
		c.reader.Reset(nil)
		*c = client{reader: c.reader, out: c.out, in: c.in}
		buffers.Put(c)
	}
	return conn.Close()
}

// begin starts the message of a call; the argument follows.
func (c *client) begin(method string) {
	c.out = c.define(c.out[:0], requestType, &c.defined.request)
	c.out = appendMessage(c.out, requestType.number, func(b []byte) []byte {
		b = append(b, 1) // the first field
		b = gobwire.AppendText(b, method)
		if c.seq > 0 {
			b = gobwire.AppendUint(append(b, 1), c.seq) // the next one
		}
		return append(b, 0)
	})
	c.seq++
}

func (c *client) define(b []byte, kind definition, known *bool) []byte {
	if *known {
		return b
	}
	*known = true
	return append(b, kind.messages...)
}

// appendMessage appends a value with its length and the number of its type before it.
func appendMessage(b []byte, number int64, value func([]byte) []byte) []byte {
	// The length is nearly always one octet or three, so there is room for three.
	const room = 3
	start := len(b)
	b = append(b, make([]byte, room)...)
	b = value(gobwire.AppendInt(b, number))
	size := len(b) - start - room
	var head [9]byte
	length := gobwire.AppendUint(head[:0], uint64(size))
	if grow := len(length) - room; grow > 0 {
		b = append(b, head[:grow]...)
	}
	copy(b[start+len(length):], b[start+room:start+room+size])
	copy(b[start:], length)
	return b[:start+len(length)+size]
}

// end sends the call and returns the reply.
func (c *client) end(data []byte) (content, error) {
	if len(data) > 0 && len(c.out)+len(data) <= cap(c.out) {
		c.out, data = append(c.out, data...), nil
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return content{}, err
	}
	if len(data) > 0 {
		if _, err := c.conn.Write(data); err != nil {
			return content{}, err
		}
	}
	response, in, err := readValue(c.reader, c.in)
	c.in = in
	if err == nil {
		err = response.failure()
	}
	failure := err
	// The reply follows even if there is an error.
	reply, in, err := readValue(c.reader, c.in)
	c.in = in
	if failure != nil {
		return content{}, failure
	}
	return reply, err
}

// plain calls a method without an argument.
func (c *client) plain(method string) (content, error) {
	c.begin(method)
	c.out = c.define(c.out, emptyType, &c.defined.empty)
	c.out = appendMessage(c.out, emptyType.number, func(b []byte) []byte { return append(b, 0) })
	return c.end(nil)
}

// header returns the header that the server has set.
func (c *client) header() (http.Header, error) {
	reply, err := c.plain("Plugin.Header")
	if err != nil {
		return nil, err
	}
	header, err := reply.header()
	if err != nil {
		return nil, fmt.Errorf("read the header of the response: %w", err)
	}
	return header, nil
}

// syncHeader makes header the one that the server has.
func (c *client) syncHeader(header http.Header) error {
	c.begin("Plugin.SyncHeader")
	c.out = c.define(c.out, headerType, &c.defined.header)
	c.out = appendMessage(c.out, headerType.number, func(b []byte) []byte { return appendHeader(append(b, 0), header) })
	_, err := c.end(nil)
	return err
}

func (c *client) writeHeader(status int) error {
	c.begin("Plugin.WriteHeader")
	c.out = appendMessage(c.out, gobwire.Int, func(b []byte) []byte { return gobwire.AppendInt(append(b, 0), int64(status)) })
	_, err := c.end(nil)
	return err
}

// write writes a piece of the body, which is sent from where it is.
func (c *client) write(data []byte) error {
	c.begin("Plugin.Write")
	var head [24]byte
	value := append(gobwire.AppendInt(head[:0], gobwire.Bytes), 0)
	value = gobwire.AppendUint(value, uint64(len(data)))
	c.out = append(gobwire.AppendUint(c.out, uint64(len(value)+len(data))), value...)
	_, err := c.end(data)
	return err
}
