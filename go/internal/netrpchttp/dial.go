package netrpchttp

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"reflect"
	"unsafe"

	"github.com/hashicorp/go-plugin"
)

// Dialling costs a round trip: the broker's side sends the number that is dialled and waits until the other side has
// sent it back, and only then is anything said. Here the first call travels with the number, and what comes back is
// looked at when its answer is read.

// sessionOf returns what a broker opens its streams with; nil if it is not one of go-plugin's, and is to dial itself.
func sessionOf(broker Broker) interface{ Open() (net.Conn, error) } {
	mux, ok := broker.(*plugin.MuxBroker)
	if !ok || mux == nil {
		return nil
	}
	field := reflect.ValueOf(mux).Elem().FieldByName("session")
	if !field.IsValid() || field.Kind() != reflect.Pointer || field.IsNil() {
		return nil
	}
	session := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Interface()
	opener, _ := session.(interface{ Open() (net.Conn, error) })
	return opener
}

// dial connects to the stream of a number, as Broker.Dial does.
func dial(broker Broker, id uint32) (net.Conn, error) {
	session := sessionOf(broker)
	if session == nil {
		return broker.Dial(id)
	}
	stream, err := session.Open()
	if err != nil {
		return nil, fmt.Errorf("open a stream: %w", err)
	}
	return &dialledStream{Conn: stream, id: id}, nil
}

// dialledStream is a stream whose number goes out with the first bytes, and is answered before the first that come.
// It is written by one goroutine at a time, and read by one, after it has been written.
type dialledStream struct {
	net.Conn
	id          uint32
	sent, acked bool
}

// Write implements io.Writer.
func (s *dialledStream) Write(p []byte) (int, error) {
	if s.sent {
		return s.Conn.Write(p)
	}
	s.sent = true
	number := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(p)), s.id)
	n, err := s.Conn.Write(append(number, p...))
	return max(n-len(number), 0), err
}

// Read implements io.Reader.
func (s *dialledStream) Read(p []byte) (int, error) {
	if !s.acked {
		if err := s.readNumber(); err != nil {
			return 0, err
		}
	}
	return s.Conn.Read(p)
}

func (s *dialledStream) readNumber() error {
	var number [4]byte
	if _, err := io.ReadFull(s.Conn, number[:]); err != nil {
		return fmt.Errorf("wait for the server to take a stream: %w", err)
	}
	if id := binary.LittleEndian.Uint32(number[:]); id != s.id {
		return fmt.Errorf("the server took stream %d for %d", id, s.id)
	}
	s.acked = true
	return nil
}

// Close implements io.Closer. The server waits for somebody to dial, and complains if nobody does.
func (s *dialledStream) Close() error {
	if !s.sent {
		_, _ = s.Write(nil)
	}
	if !s.acked {
		_ = s.readNumber() // fails when the session ends
	}
	return s.Conn.Close()
}
