package httpproxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"strings"
	"time"
)

// clientConn is a hijacked connection to a client.
//
// Over net/rpc the reader and the writer that come with it are calls of their own. What is written to the writer
// stays in a buffer of the server, which nothing flushes; therefore everything is written to the connection. What is
// read from the connection misses the bytes that the server had read before; they are fetched first.
type clientConn struct {
	net.Conn
	early []byte

	// whole says that the client has left when it sends no more. A WebSocket has a closing of its own, and a server
	// may take a connection that is closed in one direction for one that is merely quiet.
	whole bool
}

func newClientConn(conn net.Conn, buffered *bufio.ReadWriter, whole bool) *clientConn {
	c := &clientConn{Conn: conn, whole: whole}
	if conn.LocalAddr() != nil { // a connection of this process
		if n := buffered.Reader.Buffered(); n > 0 {
			c.early, _ = buffered.Reader.Peek(n)
		}
		return c
	}
	// There is no call that tells how many there are. A deadline that is over makes the server return them, or an
	// error when there are none.
	if conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		return c
	}
	piece := make([]byte, 4096) // as much as the server buffers
	for {
		n, err := buffered.Read(piece)
		c.early = append(c.early, piece[:n]...)
		if err != nil || n == 0 {
			break
		}
	}
	// Its failure is that of the next read.
	_ = conn.SetReadDeadline(time.Time{})
	return c
}

// Read implements io.Reader.
func (c *clientConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if err = plainError(err); c.whole && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// plainError gives an error of a connection, which net/rpc turns into text, its meaning back.
func plainError(err error) error {
	var remote rpc.ServerError
	if !errors.As(err, &remote) {
		return err
	}
	switch text := string(remote); {
	case text == io.EOF.Error():
		return io.EOF
	case strings.HasSuffix(text, "i/o timeout"):
		return os.ErrDeadlineExceeded
	case strings.HasSuffix(text, net.ErrClosed.Error()):
		return net.ErrClosed
	}
	return err
}

var _ http.Hijacker = (*responseWriter)(nil)
