// Package socketio reads and writes sockets without telling Go's runtime.
//
// Around each system call the runtime makes ready for the thread to be gone for long. Where a process keeps to one
// processor, its monitor then looks 50,000 times a second whether it is, and hands the work to another thread each time a
// call took more than 20 us, as one that wakes another process on the same processor does. Sockets of the runtime never
// block, so that nothing is gained by that: a call that would have to wait says so, and then the goroutine waits as usual.
package socketio

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Conn is a socket. It is read by one goroutine at a time, and written by one.
type Conn struct {
	net.Conn
	raw    syscall.RawConn
	reads  transfer
	writes transfer
}

// transfer is a read or a write under way.
type transfer struct {
	buffer []byte
	waits  bool // until there is something, or room
	n      int
	errno  syscall.Errno
	once   func(fd uintptr) bool
}

// New returns a socket of the system that does so. Beside it nobody may read from it or write to it.
func New(socket net.Conn) (*Conn, error) {
	conn, ok := socket.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%T is no socket of the system", socket)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("get at a socket: %w", err)
	}
	c := &Conn{Conn: socket, raw: raw}
	c.reads.once = func(fd uintptr) bool { return c.reads.try(read, fd) }
	c.writes.once = func(fd uintptr) bool { return c.writes.try(write, fd) }
	return c, nil
}

// try makes the call, and returns false to be called again when it can be made.
func (t *transfer) try(call func(fd uintptr, p []byte) (int, syscall.Errno), fd uintptr) bool {
	for {
		t.n, t.errno = call(fd, t.buffer)
		if t.errno != syscall.EINTR {
			return !t.waits || t.errno != syscall.EAGAIN
		}
	}
}

// Read implements io.Reader.
func (c *Conn) Read(p []byte) (int, error) { return c.read(p, true) }

// TryRead reads what there is. os.ErrDeadlineExceeded: nothing.
func (c *Conn) TryRead(p []byte) (int, error) { return c.read(p, false) }

func (c *Conn) read(p []byte, waits bool) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t := &c.reads
	t.buffer, t.waits = p, waits
	err := c.raw.Read(t.once)
	t.buffer = nil
	switch {
	case err != nil:
		return 0, err
	case t.errno == syscall.EAGAIN:
		return 0, os.ErrDeadlineExceeded
	case t.errno != 0:
		return 0, os.NewSyscallError("read", t.errno)
	case t.n == 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// Write implements io.Writer.
func (c *Conn) Write(p []byte) (int, error) {
	t := &c.writes
	for written := 0; ; {
		if written == len(p) {
			return written, nil
		}
		t.buffer, t.waits = p[written:], true
		err := c.raw.Write(t.once)
		t.buffer = nil
		if err != nil {
			return written, err
		}
		if t.errno != 0 {
			return written, os.NewSyscallError("write", t.errno)
		}
		written += t.n
	}
}

// CloseRead ends reading.
func (c *Conn) CloseRead() error { return half(c.Conn, func(h halves) error { return h.CloseRead() }) }

// CloseWrite ends writing.
func (c *Conn) CloseWrite() error {
	return half(c.Conn, func(h halves) error { return h.CloseWrite() })
}

type halves interface {
	CloseRead() error
	CloseWrite() error
}

// half closes one half, or all where there are none.
func half(socket net.Conn, end func(halves) error) error {
	if h, ok := socket.(halves); ok {
		return end(h)
	}
	return socket.Close()
}
