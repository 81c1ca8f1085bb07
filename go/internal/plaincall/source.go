package plaincall

import (
	"net"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/socketio"
)

// source reads from a socket in one of two ways: park waits, look fails with os.ErrDeadlineExceeded where it would have
// to.
type source struct {
	*socketio.Conn
	parks bool
}

func newSource(socket net.Conn) (*source, error) {
	conn, err := socketio.New(socket)
	if err != nil {
		return nil, err
	}
	return &source{Conn: conn}, nil
}

func (s *source) park() { s.parks = true }
func (s *source) look() { s.parks = false }

// Read reads what there is.
func (s *source) Read(buffer []byte) (int, error) {
	if s.parks {
		return s.Conn.Read(buffer)
	}
	return s.TryRead(buffer)
}
