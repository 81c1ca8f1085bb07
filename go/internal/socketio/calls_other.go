//go:build !linux

package socketio

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

func read(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := unix.Read(int(fd), p)
	return n, number(err)
}

func write(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := unix.Write(int(fd), p)
	return n, number(err)
}

// number is what the system said.
func number(err error) syscall.Errno {
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		return syscall.EIO
	}
	return errno
}
