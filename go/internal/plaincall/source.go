package plaincall

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// source reads from a socket in one of two ways: park waits, look fails with os.ErrDeadlineExceeded where it would have
// to.
type source struct {
	raw      syscall.RawConn
	readOnce func(fd uintptr) bool
	parks    bool

	buffer []byte
	n      int
	err    error
}

func newSource(socket net.Conn) (*source, error) {
	conn, ok := socket.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%T is no socket of the system", socket)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &source{raw: raw}
	s.readOnce = s.read
	return s, nil
}

func (s *source) park() { s.parks = true }
func (s *source) look() { s.parks = false }

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
		s.n, s.err = unix.Read(int(fd), s.buffer)
		if !errors.Is(s.err, unix.EINTR) {
			return !s.parks || !errors.Is(s.err, unix.EAGAIN)
		}
	}
}
