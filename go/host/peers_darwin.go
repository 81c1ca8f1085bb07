package host

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// peerUser returns the user at the other end of a Unix socket; false where that cannot be told.
func peerUser(conn *net.UnixConn) (int, bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	user, known := 0, false
	controlErr := raw.Control(func(fd uintptr) {
		if credentials, err := unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED); err == nil {
			user, known = int(credentials.Uid), true
		}
	})
	return user, known && controlErr == nil
}

var ownUser = os.Geteuid()
