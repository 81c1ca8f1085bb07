package plaincall

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// source reads from a socket in one of three ways: wait has the kernel wait, which holds a thread but hands nothing
// over; park has the runtime wait; look does not wait. What takes too long fails with os.ErrDeadlineExceeded.
type source struct {
	raw      syscall.RawConn
	readOnce func(fd uintptr) bool
	way      way
	deadline time.Time     // of wait; zero: none
	limit    time.Duration // of one wait in the kernel, as the socket has it; 0: none

	buffer []byte
	n      int
	err    error
}

type way int

const (
	waiting way = iota
	parking
	looking
)

// manySeconds is how long a limit has to be to be rounded up to whole seconds, so that calls with the same deadline
// need not set it anew.
const manySeconds = 5 * time.Second

func newSource(socket net.Conn) (*source, error) {
	conn, ok := socket.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%T is no socket of the system", socket)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.SetNonblock(int(fd), false) }); err != nil {
		return nil, err
	}
	s := &source{raw: raw}
	s.readOnce = s.read
	return s, failed
}

func (s *source) wait(deadline time.Time) { s.way, s.deadline = waiting, deadline }
func (s *source) park()                   { s.way = parking }
func (s *source) look()                   { s.way = looking }

// Read reads what there is.
func (s *source) Read(buffer []byte) (int, error) {
	s.buffer = buffer
	if err := s.raw.Read(s.readOnce); err != nil {
		return 0, err
	}
	switch {
	case errors.Is(s.err, unix.EAGAIN):
		return 0, os.ErrDeadlineExceeded
	case s.err != nil:
		return 0, os.NewSyscallError("read", s.err)
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// read reads once, and returns false to be called again when there is something.
func (s *source) read(fd uintptr) bool {
	for {
		if s.way == waiting {
			if s.err = s.setLimit(int(fd)); s.err == nil {
				s.n, s.err = unix.Read(int(fd), s.buffer)
			}
		} else {
			s.n, _, s.err = unix.Recvfrom(int(fd), s.buffer, unix.MSG_DONTWAIT)
		}
		if !errors.Is(s.err, unix.EINTR) {
			break
		}
	}
	return s.way != parking || !errors.Is(s.err, unix.EAGAIN)
}

// setLimit says how long the kernel may wait.
func (s *source) setLimit(fd int) error {
	var limit time.Duration
	if !s.deadline.IsZero() {
		limit = max(time.Until(s.deadline), time.Microsecond)
		if limit > manySeconds {
			limit = (limit + time.Second - 1).Truncate(time.Second)
		}
	}
	if limit == s.limit {
		return nil
	}
	s.limit = limit
	value := unix.NsecToTimeval(int64(limit))
	return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &value)
}
