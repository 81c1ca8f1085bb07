package httpproxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"syscall"
	"time"
)

// connections is an http.RoundTripper for requests that neither wait for a permission to send their body nor change
// the protocol.
//
// net/http's Transport has two goroutines for each connection, and passes a body on in pieces of 32 KiB, which wait for
// each other in a buffer. Here whoever asks writes and reads by itself, which takes half the time for a small request,
// and what there is of a body goes at once.
type connections struct {
	dial func(ctx context.Context) (net.Conn, error)

	lock  sync.Mutex
	idle  []*connection // the one used last comes last
	sweep *time.Timer   // nil: nothing is idle
}

// connection is a connection to the plugin's server.
type connection struct {
	net.Conn
	reader *bufio.Reader
	writer *bufio.Writer
	since  time.Time // when it became idle; zero: it was never used
	room   int       // bytes that may still be read before the head of a response is too large
}

func newConnection(conn net.Conn) *connection {
	c := &connection{Conn: conn, writer: bufio.NewWriterSize(conn, 2<<10)}
	c.reader = bufio.NewReaderSize(c, 16<<10)
	return c
}

// Read implements io.Reader, for the connection's reader.
func (c *connection) Read(p []byte) (int, error) {
	if c.room <= 0 {
		return 0, errLargeHead
	}
	n, err := c.Conn.Read(p[:min(len(p), c.room)])
	c.room -= n
	return n, err
}

// isQuiet tells whether an idle connection is open and nothing came on it since its last response.
func (c *connection) isQuiet() bool {
	if c.reader.Buffered() > 0 {
		return false
	}
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return true // of a test; there is no way to look
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, err := syscall.Read(int(fd), one[:]) // does not wait: net's sockets never do
		quiet = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && quiet
}

// isSafe tells for a method whether a request may be sent twice.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// RoundTrip implements http.RoundTripper.
func (c *connections) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		conn, err := c.take(r.Context())
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(r.Context(), func() { _ = conn.Close() })
		sending := &sending{conn: conn.Conn}
		response, err := conn.ask(r, sending)
		if err == nil {
			c.watch(conn, response, sending, stop)
			return response, nil
		}
		stop()
		_ = conn.Close()
		var unread *unreadError
		stale := errors.As(err, &unread) && !conn.since.IsZero() && r.Context().Err() == nil
		if stale && r.Body == nil && isSafe(r.Method) {
			continue // the plugin's server had closed the connection
		}
		return nil, sending.explain(err)
	}
}

// unreadError is a failure before anything of a response came.
type unreadError struct{ error }

// Unwrap returns the failure.
func (e *unreadError) Unwrap() error { return e.error }

// ask sends a request and reads the head of the response, while the body is perhaps still being sent.
func (c *connection) ask(r *http.Request, sending *sending) (*http.Response, error) {
	if err := writeHead(c.writer, r); err != nil {
		return nil, &unreadError{err}
	}
	if err := c.writer.Flush(); err != nil {
		return nil, &unreadError{err}
	}
	if r.Body != nil {
		sending.start(r.Body, r.ContentLength)
	}
	c.room = maxHead
	if _, err := c.reader.Peek(1); err != nil {
		return nil, &unreadError{err}
	}
	for {
		response, err := http.ReadResponse(c.reader, r)
		if err != nil {
			return nil, err
		}
		if err := checkResponse(response, false); err != nil {
			return nil, err
		}
		if response.StatusCode >= 200 {
			c.room = math.MaxInt
			return response, nil
		}
		c.room = maxHead // as net/http has it: an informational response is passed on before the next is read
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(response.StatusCode, textproto.MIMEHeader(response.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// watch makes the connection idle when the response has been read.
func (c *connections) watch(conn *connection, response *http.Response, sending *sending, stop func() bool) {
	usable := !response.Close && (!endsWithHead(response.Request.Method, response) || !announcesBody(response))
	done := func(whole bool) {
		if stop() && whole && usable && conn.reader.Buffered() == 0 && sending.complete() {
			c.put(conn)
		} else {
			_ = conn.Close()
		}
	}
	if response.Body == http.NoBody {
		done(true)
		return
	}
	response.Body = &watchedConnection{Reader: response.Body, done: done}
}

// watchedConnection is the body of a response.
type watchedConnection struct {
	io.Reader
	done  func(whole bool)
	ended bool
}

// Read implements io.Reader.
func (w *watchedConnection) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil {
		w.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close implements io.Closer. What has not been read is not waited for.
func (w *watchedConnection) Close() error {
	w.end(false)
	return nil
}

func (w *watchedConnection) end(whole bool) {
	if !w.ended {
		w.ended = true
		w.done(whole)
	}
}

// take returns a connection that is idle, or a new one.
func (c *connections) take(ctx context.Context) (*connection, error) {
	for conn := c.pop(); conn != nil; conn = c.pop() {
		if conn.isQuiet() {
			return conn, nil
		}
		_ = conn.Close()
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	return newConnection(conn), nil
}

// pop returns the idle connection that was used last; nil if there is none.
func (c *connections) pop() *connection {
	c.lock.Lock()
	defer c.lock.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	conn := c.idle[last]
	c.idle[last], c.idle = nil, c.idle[:last]
	return conn
}

// put makes a connection idle.
func (c *connections) put(conn *connection) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if len(c.idle) >= maxIdle {
		_ = conn.Close()
		return
	}
	conn.since = time.Now()
	c.idle = append(c.idle, conn)
	if c.sweep == nil {
		c.sweep = time.AfterFunc(idleTimeout, c.closeOld)
	}
}

// closeOld closes connections that have been idle for too long.
func (c *connections) closeOld() {
	c.lock.Lock()
	defer c.lock.Unlock()
	old := 0
	for old < len(c.idle) && time.Since(c.idle[old].since) >= idleTimeout {
		_ = c.idle[old].Close()
		old++
	}
	c.idle = append([]*connection(nil), c.idle[old:]...)
	c.sweep = nil
	if len(c.idle) > 0 {
		c.sweep = time.AfterFunc(time.Until(c.idle[0].since.Add(idleTimeout)), c.closeOld)
	}
}

// close closes the connections that are idle.
func (c *connections) close() {
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, conn := range c.idle {
		_ = conn.Close()
	}
	c.idle = nil
	if c.sweep != nil {
		c.sweep.Stop()
		c.sweep = nil
	}
}
