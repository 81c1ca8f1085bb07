package host

import (
	"net"

	"github.com/hashicorp/go-hclog"
)

// peerListener accepts connections of this process's user only. The directory of the socket keeps others out
// already; this is the second lock.
type peerListener struct {
	net.Listener
	log hclog.Logger
}

func ownPeers(listener net.Listener, log hclog.Logger) net.Listener {
	return &peerListener{listener, log}
}

// Accept waits for the next connection of this process's user.
func (l *peerListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		unixConn, ok := conn.(*net.UnixConn)
		if !ok {
			return conn, nil
		}
		user, known := peerUser(unixConn)
		if known && user == ownUser {
			return conn, nil
		}
		l.log.Warn("Refused a connection of another user to the plugin's API", "user", user, "known", known)
		if err := conn.Close(); err != nil {
			l.log.Warn("Cannot close a refused connection", "error", err)
		}
	}
}
