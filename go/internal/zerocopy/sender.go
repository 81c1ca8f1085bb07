package zerocopy

import (
	"net"
	"runtime"
	"sync"
)

const (
	// Margin is how much room there is before and behind what Room is for.
	Margin = 4 << 10

	// copied is how much is sent at once by copying: with more of it, sender and reader work less at the same time.
	copied = 128 << 10
	// first is how much is copied before pages are lent, for which memory has to be provided.
	first = 512 << 10
	// fewest is how many octets are worth being lent.
	fewest = 16 << 10
)

var buffers = sync.Pool{New: func() any { return new([Margin + copied + Margin]byte) }}

// Sender sends over a socket, where copying is the way for a little, for other systems and for sockets that are none
// of the system's, and as long as the reader has yet to receive so much that there are no pages left.
type Sender struct {
	conn   net.Conn
	sent   int64
	buffer *[Margin + copied + Margin]byte
	lender *lender // nil: not yet, or there is none
	asked  bool
	lends  bool // the latest Room
}

// NewSender returns a sender. Until Release nobody else writes to the connection.
func NewSender(conn net.Conn) *Sender {
	return &Sender{conn: conn, buffer: buffers.Get().(*[Margin + copied + Margin]byte)}
}

// Room returns memory of which a part is to be sent next, with a Margin on each side. It is the sender's again when Send
// returns.
func (s *Sender) Room() []byte {
	if s.sent >= first && !s.asked {
		s.asked = true
		s.lender = newLender(s.conn)
	}
	if s.lends = s.lender != nil && s.lender.isFree(s.sent); s.lends {
		return s.lender.room()
	}
	return s.buffer[:]
}

// Send sends the octets from one of Room up to another.
func (s *Sender) Send(from, to int) error {
	defer runtime.KeepAlive(s) // and so the pages, which the collector does not see in use
	room := s.buffer[:]
	if s.lends {
		room = s.lender.room()
		if to-from >= fewest {
			lent, err := s.lender.lend(from, to)
			s.sent += int64(lent)
			s.lender.next(s.sent)
			if err != nil {
				return err
			}
			from += lent
		}
	}
	if from == to {
		return nil
	}
	n, err := s.conn.Write(room[from:to])
	s.sent += int64(n)
	return err
}

// Release gives the memory back. It is best called when the reader has received everything: pages that it has yet to
// receive are the system's afterwards.
func (s *Sender) Release() {
	buffers.Put(s.buffer)
	if s.lender != nil {
		s.lender.release()
	}
}
