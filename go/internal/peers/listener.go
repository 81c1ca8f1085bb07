// Package peers tells who is at the other end of a Unix socket, and keeps other users out. The directory of a socket does
// so already; this holds where its mode was changed.
package peers

import (
	"fmt"
	"net"
	"os"

	"github.com/hashicorp/go-hclog"
)

// NoGroup is the group of a socket that is for this process's user alone.
const NoGroup = -1

// listener accepts connections of some users only.
type listener struct {
	net.Listener
	what  string
	group int
	log   hclog.Logger
}

// Own returns a listener that accepts connections of this process's user only, and of members of a group unless that is
// NoGroup. Connections that are not Unix sockets are accepted. What the socket is for is named in the log.
func Own(inner net.Listener, what string, group int, log hclog.Logger) net.Listener {
	return &listener{inner, what, group, log}
}

// Accept waits for the next connection that is allowed.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		refusal := Check(conn, l.group)
		if refusal == nil {
			return conn, nil
		}
		l.log.Warn("Refused a connection of another user", "socket", l.what, "error", refusal)
		if err := conn.Close(); err != nil {
			l.log.Warn("Cannot close a refused connection", "error", err)
		}
	}
}

// Check returns an error unless the process at the other end of a connection is of this process's user, or in a group
// that is not NoGroup.
func Check(conn net.Conn, group int) error {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("cannot tell whose process is at the other end: %w", err)
	}
	var peer credentials
	controlErr := raw.Control(func(fd uintptr) { peer, err = read(int(fd)) })
	switch {
	case controlErr != nil || err != nil:
		return fmt.Errorf("cannot tell whose process is at the other end: %w", firstError(controlErr, err))
	case peer.user == os.Geteuid():
		return nil
	case group != NoGroup && peer.in(group):
		return nil
	}
	return fmt.Errorf("the process at the other end is of user %d", peer.user)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// credentials say who a process is.
type credentials struct {
	user   int
	groups []int
}

func (c credentials) in(group int) bool {
	for _, of := range c.groups {
		if of == group {
			return true
		}
	}
	return false
}
