package zerocopy

import (
	"errors"
	"math"
	"net"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// lender has a Unix socket take pages as they are.
type lender struct {
	socket syscall.RawConn
	pages  *pages

	slot     int          // of room
	ends     [slots]int64 // how much the sender had sent when a slot was lent last
	received int64        // how much of that the reader certainly has
}

// unsupported tells that the system has refused to.
var unsupported atomic.Bool

// newLender returns a lender for a connection, nil where nothing can be lent.
func newLender(conn net.Conn) *lender {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok || unsupported.Load() {
		return nil
	}
	socket, err := unixConn.SyscallConn()
	if err != nil {
		return nil // it is closed, as whoever writes to it will hear
	}
	pages, err := takePages()
	if err != nil {
		return nil // there is no memory, or no file of that kind: what is sent is copied
	}
	return &lender{socket: socket, pages: pages}
}

// isFree tells whether the reader has received what was in room, of so much that was sent.
func (l *lender) isFree(sent int64) bool {
	if l.ends[l.slot] > l.received {
		l.received = sent - int64(l.waiting())
	}
	return l.ends[l.slot] <= l.received
}

// waiting returns how many octets the reader has not received. The system counts what it needs for itself, too.
func (l *lender) waiting() int {
	waiting := math.MaxInt32 // if nobody knows
	_ = l.socket.Control(func(socket uintptr) {
		if n, err := unix.IoctlGetInt(int(socket), unix.SIOCOUTQ); err == nil {
			waiting = n
		}
	})
	return waiting
}

// room returns the memory of the current slot.
func (l *lender) room() []byte { return l.pages.slot(l.slot) }

// next goes on to the next slot, when so much has been sent.
func (l *lender) next(sent int64) {
	l.ends[l.slot] = sent
	l.slot = (l.slot + 1) % slots
}

// lend lends room's octets from one up to another, and tells how many the socket took.
func (l *lender) lend(from, to int) (int, error) {
	start := l.pages.offset(l.slot) + int64(from)
	offset, end := start, start+int64(to-from)
	var refused error
	err := l.socket.Write(func(socket uintptr) bool {
		for offset < end && refused == nil {
			n, err := unix.Sendfile(int(socket), l.pages.file, &offset, int(end-offset))
			switch {
			case errors.Is(err, unix.EAGAIN):
				return false
			case errors.Is(err, unix.EINTR):
			case err == nil && n == 0:
				refused = unix.EINVAL
			default:
				refused = err
			}
		}
		return true
	})
	if errors.Is(refused, unix.EINVAL) || errors.Is(refused, unix.ENOSYS) || errors.Is(refused, unix.EOPNOTSUPP) {
		unsupported.Store(true)
		refused = nil // what is left is copied
	}
	return int(offset - start), errors.Join(err, refused)
}

// release gives the pages back.
func (l *lender) release() {
	if l.waiting() == 0 {
		l.pages.keep()
	} else {
		l.pages.free()
	}
	l.pages = nil
}
