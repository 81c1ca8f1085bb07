// Package socketio reads and writes sockets with as little of Go's runtime as can be.
//
// Around each system call the runtime makes ready for the thread to be gone for long. Where a process keeps to one
// processor, its monitor then looks 50,000 times a second whether it is, and hands the work to another thread each time a
// call took more than 20 us, as one that wakes another process on the same processor does. Sockets here never block, so
// that nothing is gained by that: a call that would have to wait says so, and then the goroutine waits as usual.
//
// And whatever comes on a socket that the runtime's poller knows wakes the thread that polls, if some thread does, even
// while the goroutine that reads looks for it by itself. On Linux the poller therefore knows a socket only while somebody
// waits for it, which costs two system calls each time; where a process keeps to one processor no thread polls while a
// goroutine looks, and the poller knows the socket all the time.
package socketio

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Conn is a socket. It is read by one goroutine at a time, and written by one. It has no deadlines.
type Conn struct {
	net.Conn // which may have been closed by now, and only tells its addresses
	handle   handle
	reads    transfer
	writes   transfer
}

// transfer is a read or a write under way.
type transfer struct {
	buffer []byte
	waits  bool // until there is something, or room
	n      int
	errno  syscall.Errno
	try    func(fd uintptr) bool
}

// New takes a socket of the system over. If it fails, the socket is as it was.
func New(socket net.Conn) (*Conn, error) {
	conn, ok := socket.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%T is no socket of the system", socket)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("get at a socket: %w", err)
	}
	handle, err := newHandle(socket, raw)
	if err != nil {
		return nil, fmt.Errorf("take a socket over: %w", err)
	}
	c := &Conn{Conn: socket, handle: handle}
	c.reads.try = func(fd uintptr) bool { return c.reads.call(read, fd) }
	c.writes.try = func(fd uintptr) bool { return c.writes.call(write, fd) }
	return c, nil
}

func (t *transfer) call(call func(fd uintptr, p []byte) (int, syscall.Errno), fd uintptr) bool {
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
	err := c.handle.read(t.try)
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
		err := c.handle.write(t.try)
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

// Close implements io.Closer. Who reads or writes ends with net.ErrClosed.
func (c *Conn) Close() error { return c.handle.close() }

// CloseRead ends reading.
func (c *Conn) CloseRead() error { return c.handle.shutdown(syscall.SHUT_RD) }

// CloseWrite ends writing.
func (c *Conn) CloseWrite() error { return c.handle.shutdown(syscall.SHUT_WR) }
