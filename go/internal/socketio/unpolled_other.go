//go:build !linux

package socketio

import (
	"net"
	"syscall"
)

// newUnpolled returns a handle that is polled: on this system there is no other.
func newUnpolled(socket net.Conn, raw syscall.RawConn) (handle, error) {
	return polled{socket: socket, raw: raw}, nil
}
