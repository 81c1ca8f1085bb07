package socketio

import (
	"net"
	"runtime"
	"syscall"
)

// handle is a socket and how to wait for it. What it is to try returns false if it has to wait, and is tried again when
// there is reason to. Closing ends that with net.ErrClosed.
type handle interface {
	read(try func(fd uintptr) bool) error
	write(try func(fd uintptr) bool) error
	shutdown(how int) error
	close() error
}

// newHandle takes a socket over.
func newHandle(socket net.Conn, raw syscall.RawConn) (handle, error) {
	if runtime.GOMAXPROCS(0) < 2 {
		return polled{socket: socket, raw: raw}, nil
	}
	return newUnpolled(socket, raw)
}

// polled is a socket as the runtime has it.
type polled struct {
	socket net.Conn
	raw    syscall.RawConn
}

func (h polled) read(try func(fd uintptr) bool) error { return h.raw.Read(try) }

func (h polled) write(try func(fd uintptr) bool) error { return h.raw.Write(try) }

func (h polled) shutdown(how int) error {
	var failure error
	if err := h.raw.Control(func(fd uintptr) { failure = syscall.Shutdown(int(fd), how) }); err != nil {
		return err
	}
	return failure
}

func (h polled) close() error { return h.socket.Close() }
