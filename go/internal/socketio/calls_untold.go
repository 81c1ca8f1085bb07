//go:build linux && !race

package socketio

import (
	"syscall"
	"unsafe"
)

// pieceSize is how much is read or written at once, so that the runtime does not have to wait long where it has to.
const pieceSize = 256 << 10

func read(fd uintptr, p []byte) (int, syscall.Errno) { return raw(syscall.SYS_READ, fd, p) }

func write(fd uintptr, p []byte) (int, syscall.Errno) { return raw(syscall.SYS_WRITE, fd, p) }

func raw(number, fd uintptr, p []byte) (int, syscall.Errno) {
	p = p[:min(len(p), pieceSize)]
	n, _, errno := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
