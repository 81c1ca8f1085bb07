package netrpchttp

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
)

// response is the http.ResponseWriter of a request.
type response struct {
	dial func() (net.Conn, error)

	lock   sync.Mutex
	client *client // once it is needed
	closed bool
	err    error       // why there is none
	header http.Header // once it was asked for
	synced http.Header // what the server has of it
}

// do runs a call of the client, which connects at the first.
func (w *response) do(call func(*client) error) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.closed {
		return net.ErrClosed
	}
	if w.client == nil && w.err == nil {
		var conn net.Conn
		if conn, w.err = w.dial(); w.err == nil {
			w.client = newClient(conn)
		}
	}
	if w.err != nil {
		return w.err
	}
	return call(w.client)
}

func (w *response) close() {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.closed = true
	if w.client != nil {
		_ = w.client.close() // the server has all there is
	}
}

// Header implements http.ResponseWriter: the header is the server's, as it was when it was first asked for.
func (w *response) Header() http.Header {
	if w.header == nil {
		err := w.do(func(c *client) (err error) {
			w.header, err = c.header()
			return err
		})
		if err != nil {
			w.header = make(http.Header) // writing fails as well, and says so
		}
	}
	return w.header
}

// sync sends the header if it has changed.
func (w *response) sync(c *client) error {
	if w.synced != nil && maps.EqualFunc(w.header, w.synced, slices.Equal) {
		return nil
	}
	if err := c.syncHeader(w.header); err != nil {
		return err
	}
	w.synced = w.header.Clone()
	return nil
}

// Write implements http.ResponseWriter.
func (w *response) Write(data []byte) (int, error) {
	w.Header()
	err := w.do(func(c *client) error {
		if err := w.sync(c); err != nil {
			return err
		}
		return c.write(data)
	})
	if err != nil {
		return 0, err
	}
	return len(data), nil
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	w.Header()
	// What went wrong is seen when the body is written.
	_ = w.do(func(c *client) error {
		if err := w.sync(c); err != nil {
			return err
		}
		return c.writeHeader(status)
	})
}

// Flush implements http.Flusher. A server that cannot do it has nothing to flush.
func (w *response) Flush() {
	_ = w.do(func(c *client) error {
		_, err := c.plain("Plugin.Flush")
		return err
	})
}

// Abort closes the connection to the client.
func (w *response) Abort() error {
	return w.do(func(c *client) error {
		if _, err := c.plain("Plugin.HijackResponse"); err != nil {
			return err
		}
		_, err := c.plain("Plugin.HjConnClose")
		return err
	})
}
